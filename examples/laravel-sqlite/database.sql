-- What the app's database holds at 2026-01-01T12:00:00Z, which is 1767268800: host/var/www/shop/database/database.sqlite is made of it.
CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, queue VARCHAR NOT NULL, payload TEXT NOT NULL,
  attempts INTEGER NOT NULL, reserved_at INTEGER, available_at INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX jobs_queue_index ON jobs (queue);
CREATE TABLE failed_jobs (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, uuid VARCHAR NOT NULL, connection TEXT NOT NULL,
  queue TEXT NOT NULL, payload TEXT NOT NULL, exception TEXT NOT NULL, failed_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE UNIQUE INDEX failed_jobs_uuid_unique ON failed_jobs (uuid);

-- Taken by a worker yesterday, which was then killed.
INSERT INTO jobs (queue, payload, attempts, reserved_at, available_at, created_at)
VALUES ('default', '{"displayName":"App\\Jobs\\ImportOrders","timeout":null}', 1, 1767175200, 1767175190, 1767175190);
-- A backlog: pushed each minute for the last three hours.
WITH RECURSIVE minutes (past) AS (SELECT 180 UNION ALL SELECT past - 1 FROM minutes WHERE past > 1)
INSERT INTO jobs (queue, payload, attempts, available_at, created_at)
SELECT 'default', '{"displayName":"App\\Jobs\\SyncOrder","timeout":null}', 0, 1767268800 - 60 * past, 1767268800 - 60 * past FROM minutes;
-- On a queue that no worker polls.
INSERT INTO jobs (queue, payload, attempts, available_at, created_at)
VALUES ('mails', '{"displayName":"App\\Jobs\\SendReceipt","timeout":null}', 0, 1767261600, 1767261600),
  ('mails', '{"displayName":"App\\Jobs\\SendReceipt","timeout":null}', 0, 1767265200, 1767265200);
INSERT INTO failed_jobs (uuid, connection, queue, payload, exception, failed_at) VALUES
  ('1', 'database', 'default', '{"displayName":"App\\Jobs\\SyncOrder"}',
   'Illuminate\Queue\MaxAttemptsExceededException: App\Jobs\SyncOrder has been attempted too many times.', '2026-01-01 08:10:00'),
  ('2', 'database', 'default', '{"displayName":"App\\Jobs\\SyncOrder"}',
   'PDOException: SQLSTATE[HY000]: General error: 5 database is locked', '2026-01-01 08:30:00'),
  ('3', 'database', 'default', '{"displayName":"App\\Jobs\\SyncOrder"}',
   'PDOException: SQLSTATE[HY000]: General error: 5 database is locked', '2026-01-01 09:00:00'),
  ('4', 'database', 'default', '{"displayName":"App\\Jobs\\ImportOrders"}',
   'Illuminate\Queue\TimeoutExceededException: App\Jobs\ImportOrders has timed out.', '2026-01-01 11:00:00');
