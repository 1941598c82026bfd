
"use strict";
(() => {
  const root = document.documentElement;
  const table = document.getElementById("cell-table");
  const filter = document.getElementById("filter");
  const count = document.getElementById("count");
  const cells = Array.from(table.querySelectorAll("tbody.cell"));
  const heads = Array.from(table.querySelectorAll("th[data-key]"));
  const prefix = "cells?";
  let sorted = { key: "", down: false };

  function unfold(cell, open) {
    const button = cell.querySelector("button.unfold");
    button.setAttribute("aria-expanded", String(open));
    cell.querySelector("tr.more").hidden = !open;
    cell.classList.toggle("open", open);
  }

  function value(cell, place) {
    const shown = cell.rows[0].cells[place];
    return shown && shown.hasAttribute("data-sort") ? shown.getAttribute("data-sort") : "";
  }

  function compare(one, other) {
    if (one === "" || other === "") {
      return one === other ? 0 : one === "" ? Infinity : -Infinity;
    }
    const numbers = [Number(one), Number(other)];
    return numbers.some(Number.isNaN) ? one.localeCompare(other) : numbers[0] - numbers[1];
  }

  function sort(key, down) {
    const place = heads.findIndex((head) => head.dataset.key === key);
    sorted = place < 0 ? { key: "", down: false } : { key, down };
    const order = cells.slice();
    if (place >= 0) {
      order.sort((one, other) => {
        const apart = compare(value(one, place), value(other, place));
        return down && Number.isFinite(apart) ? -apart : apart; // what has no number stays last
      });
    }
    order.forEach((cell) => table.append(cell));
    heads.forEach((head, at) => {
      if (at === place) {
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
      } else {
        head.removeAttribute("aria-sort");
      }
    });
  }

  function narrow(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const cell of cells) {
      const own = cell.dataset.words.toLowerCase();
      cell.hidden = !words.every((word) => own.includes(word));
      shown += cell.hidden ? 0 : 1;
    }
    count.textContent = shown + " of " + cells.length + " cells";
  }

  function keep() {
    const state = new URLSearchParams();
    if (filter.value.trim()) {
      state.set("filter", filter.value.trim());
    }
    if (sorted.key) {
      state.set("sort", (sorted.down ? "-" : "") + sorted.key);
    }
    const text = state.toString();
    point(text ? prefix + text : "cells");
  }

  function point(fragment) {
    history.replaceState(null, "", "#" + fragment);
  }

  function named(fragment) {
    let name = fragment;
    try {
      name = decodeURIComponent(fragment);
    } catch {
      // a stray per cent sign: look for the cell under the name as it stands
    }
    return cells.find((cell) => cell.id === name);
  }

  function follow() {
    const fragment = location.hash.slice(1);
    if (fragment.startsWith(prefix)) {
      const state = new URLSearchParams(fragment.slice(prefix.length));
      const by = state.get("sort") || "";
      filter.value = state.get("filter") || "";
      narrow(filter.value);
      sort(by.replace(/^-/, ""), by.startsWith("-"));
      document.getElementById("cells").scrollIntoView();
      return;
    }
    const cell = named(fragment);
    if (cell) {
      if (cell.hidden) {
        filter.value = "";
        narrow("");
      }
      unfold(cell, true);
      cell.scrollIntoView();
      cell.querySelector("button.unfold").focus({ preventScroll: true });
    }
  }

  async function copy(button) {
    const source = document.getElementById(button.dataset.copies);
    let done = true;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "copied" : "press Ctrl+C";
  }

  root.classList.add("js");
  for (const cell of cells) {
    unfold(cell, false);
    const button = cell.querySelector("button.unfold");
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      unfold(cell, open);
      if (open) {
        point(cell.querySelector("a.permalink").getAttribute("href").slice(1));
      } else {
        keep();
      }
    });
  }
  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      sort(head.dataset.key, head.dataset.key === sorted.key && !sorted.down);
      keep();
    });
  }
  filter.addEventListener("input", () => {
    narrow(filter.value);
    keep();
  });
  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", () => copy(button));
  }
  addEventListener("hashchange", follow);
  addEventListener("load", follow); // not before: the browser's own jump would take the focus away
})();
