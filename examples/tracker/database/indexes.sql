-- After the rows: to build an index, or check a reference, for all of them at once is faster.
ALTER TABLE issue
  ADD PRIMARY KEY (id),
  ADD UNIQUE (team_id, number),
  ADD FOREIGN KEY (team_id) REFERENCES team,
  ADD FOREIGN KEY (project_id) REFERENCES project,
  ADD FOREIGN KEY (assignee_id) REFERENCES member,
  ADD FOREIGN KEY (creator_id) REFERENCES member;
ALTER TABLE comment
  ADD PRIMARY KEY (id),
  ADD FOREIGN KEY (issue_id) REFERENCES issue ON DELETE CASCADE,
  ADD FOREIGN KEY (author_id) REFERENCES member;

CREATE INDEX issue_by_creation ON issue (created_at, id);
CREATE INDEX issue_by_update ON issue (updated_at, id);
CREATE INDEX issue_by_priority ON issue (priority, created_at DESC, id DESC);
CREATE INDEX issue_of_project ON issue (project_id, created_at, id);
CREATE INDEX issue_in_status ON issue (project_id, status);
CREATE INDEX issue_of_assignee ON issue (assignee_id, created_at, id);
CREATE INDEX comment_of_issue ON comment (issue_id, created_at);
CREATE TRIGGER touch_issue BEFORE UPDATE ON issue
  FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION touch_issue();
