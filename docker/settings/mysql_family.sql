-- The image lets bench into its own database alone; every scenario gets one of its own.
GRANT ALL ON *.* TO bench@'%' WITH GRANT OPTION;
