"""The workloads that ship with ormbench: models and one module each."""
