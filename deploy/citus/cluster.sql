-- What a superuser does on the coordinator, once: the nodes, and the settings of the database.
CREATE EXTENSION IF NOT EXISTS citus;
SELECT citus_set_coordinator_host('database', 5432);
SELECT citus_add_node('worker-1', 5432);
SELECT citus_add_node('worker-2', 5432);
-- The tenant of a transaction reaches the nodes with SET LOCAL.
ALTER DATABASE workroom SET citus.propagate_set_commands = 'local';
-- Searches use their indexes beside row-level security on the workers too: saas-app database roles does this on the
-- coordinator alone.
SELECT run_command_on_workers('ALTER FUNCTION pg_catalog.textlike(text, text) LEAKPROOF');
SELECT run_command_on_workers('ALTER FUNCTION pg_catalog.texticlike(text, text) LEAKPROOF');
