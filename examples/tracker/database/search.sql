-- For the text search. Not every server has the extension, or lets us create it: without it a search reads all titles.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX issue_by_title ON issue USING gin (title gin_trgm_ops);
