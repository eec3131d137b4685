DROP TABLE status_history;
