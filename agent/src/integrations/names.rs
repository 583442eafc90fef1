//! What is measured: every metric with its name, unit, meaning, labels and source. docs/integrations.md is this table; a
//! test holds them together.
//!
//! Names are those of the OpenTelemetry collector's receivers, where they have one; others begin with `narrows.`.

use crate::report::metrics;

metrics! {
    UP = "up", "", Gauge, [], "all", "1 if the last look at the server has succeeded, else 0";
    LOOK_DURATION = "scrape.duration", "s", Gauge, [], "all", "Seconds that the last look took";

    PG_CONNECTION_MAX = "postgresql.connection.max", "{connection}", Gauge, [], "max_connections", "Connections that the server allows";
    PG_BACKENDS = "postgresql.backends", "{connection}", UpDown, ["postgresql.database.name"], "pg_stat_activity", "Connections of clients to a database, without the agent's own";
    PG_CONNECTIONS = "narrows.postgresql.connections", "{connection}", UpDown, ["postgresql.database.name", "state"], "pg_stat_activity", "Connections of clients by state";
    PG_WAITS = "narrows.postgresql.waits", "{connection}", UpDown, ["state", "wait_event", "wait_event_type"], "pg_stat_activity", "Connections that wait at the moment, by what for";
    PG_LOCKS_WAITING = "narrows.postgresql.locks.waiting", "{lock}", UpDown, ["lock_type", "mode", "postgresql.table.name"], "pg_locks", "Locks that are waited for";
    PG_BLOCKED = "narrows.postgresql.sessions.blocked", "{session}", UpDown, [], "pg_blocking_pids", "Sessions that wait for a lock that another one has";
    PG_BLOCKING = "narrows.postgresql.sessions.blocking", "{session}", UpDown, [], "pg_blocking_pids", "Sessions that others wait for";
    PG_LOCK_LONGEST = "narrows.postgresql.lock_wait.longest", "s", Gauge, [], "pg_locks", "Seconds that the oldest wait for a lock has lasted; 0 without one";
    PG_TRANSACTION_LONGEST = "narrows.postgresql.transaction.longest", "s", Gauge, [], "pg_stat_activity", "Age of the oldest open transaction of a client; 0 without one";
    PG_COMMITS = "postgresql.commits", "{transaction}", Counter, ["postgresql.database.name"], "pg_stat_database", "Transactions that were committed";
    PG_ROLLBACKS = "postgresql.rollbacks", "{transaction}", Counter, ["postgresql.database.name"], "pg_stat_database", "Transactions that were rolled back";
    PG_BLKS_READ = "postgresql.blks_read", "{block}", Counter, ["postgresql.database.name"], "pg_stat_database", "Blocks that were read because they were not in the server's buffers";
    PG_BLKS_HIT = "postgresql.blks_hit", "{block}", Counter, ["postgresql.database.name"], "pg_stat_database", "Blocks that were in the server's buffers";
    PG_TUP_RETURNED = "postgresql.tup_returned", "{row}", Counter, ["postgresql.database.name"], "pg_stat_database", "Live rows that sequential scans and entries that index scans went through";
    PG_TUP_FETCHED = "postgresql.tup_fetched", "{row}", Counter, ["postgresql.database.name"], "pg_stat_database", "Live rows that index scans fetched";
    PG_TUP_INSERTED = "postgresql.tup_inserted", "{row}", Counter, ["postgresql.database.name"], "pg_stat_database", "Rows that were inserted";
    PG_TUP_UPDATED = "postgresql.tup_updated", "{row}", Counter, ["postgresql.database.name"], "pg_stat_database", "Rows that were updated";
    PG_TUP_DELETED = "postgresql.tup_deleted", "{row}", Counter, ["postgresql.database.name"], "pg_stat_database", "Rows that were deleted";
    PG_DEADLOCKS = "postgresql.deadlocks", "{deadlock}", Counter, ["postgresql.database.name"], "pg_stat_database", "Deadlocks that were broken";
    PG_TEMP_FILES = "postgresql.temp_files", "{temp_file}", Counter, ["postgresql.database.name"], "pg_stat_database", "Temporary files that queries have written";
    PG_TEMP_IO = "postgresql.temp.io", "By", Counter, ["postgresql.database.name"], "pg_stat_database", "Bytes that queries have written to temporary files";
    PG_SEQUENTIAL_SCANS = "postgresql.sequential_scans", "{sequential_scan}", Counter, ["postgresql.database.name", "postgresql.schema.name", "postgresql.table.name"], "pg_stat_user_tables", "Scans of a whole table";
    PG_INDEX_SCANS = "narrows.postgresql.table.index_scans", "{scan}", Counter, ["postgresql.database.name", "postgresql.schema.name", "postgresql.table.name"], "pg_stat_user_tables", "Scans of a table by one of its indexes";
    PG_ROWS_READ = "narrows.postgresql.table.rows_read", "{row}", Counter, ["access", "postgresql.database.name", "postgresql.schema.name", "postgresql.table.name"], "pg_stat_user_tables", "Live rows of a table that scans have read, by the kind of scan";
    PG_OPERATIONS = "postgresql.operations", "{row}", Counter, ["operation", "postgresql.database.name", "postgresql.schema.name", "postgresql.table.name"], "pg_stat_user_tables", "Rows of a table that were inserted, updated and deleted";
    PG_ROWS = "postgresql.rows", "{row}", UpDown, ["postgresql.database.name", "postgresql.schema.name", "postgresql.table.name", "state"], "pg_stat_user_tables", "Rows of a table, live and dead, as the server estimates";
    PG_STATEMENT_CALLS = "narrows.postgresql.statement.calls", "{call}", Counter, ["db.query.text", "postgresql.database.name", "query_id"], "pg_stat_statements", "Times that a statement was executed";
    PG_STATEMENT_TIME = "narrows.postgresql.statement.time", "s", Counter, ["db.query.text", "postgresql.database.name", "query_id"], "pg_stat_statements", "Seconds that a statement took in all";
    PG_STATEMENT_ROWS = "narrows.postgresql.statement.rows", "{row}", Counter, ["db.query.text", "postgresql.database.name", "query_id"], "pg_stat_statements", "Rows that a statement returned or changed";
    PG_STATEMENT_BLOCKS = "narrows.postgresql.statement.blocks", "{block}", Counter, ["db.query.text", "postgresql.database.name", "query_id", "source"], "pg_stat_statements", "Blocks that a statement needed, by whether they were in the server's buffers";
    PG_DATA_DELAY = "postgresql.replication.data_delay", "By", UpDown, ["replication_client"], "pg_stat_replication", "Bytes of WAL that a standby has not replayed yet";
    PG_WAL_LAG = "postgresql.wal.lag", "s", Gauge, ["replication_client"], "pg_stat_replication", "Seconds from writing to replaying on a standby";

    REDIS_UPTIME = "redis.uptime", "s", Counter, [], "INFO server", "Seconds since the server was started";
    REDIS_CLIENTS = "redis.clients.connected", "{client}", UpDown, [], "INFO clients", "Connections of clients";
    REDIS_BLOCKED = "redis.clients.blocked", "{client}", UpDown, [], "INFO clients", "Clients that wait in a blocking command";
    REDIS_CLIENTS_LIMIT = "narrows.redis.clients.limit", "{client}", Gauge, [], "INFO clients", "Connections that the server allows";
    REDIS_MEMORY_USED = "redis.memory.used", "By", UpDown, [], "INFO memory", "Memory that the server has allocated";
    REDIS_MEMORY_RSS = "redis.memory.rss", "By", UpDown, [], "INFO memory", "Memory that the server has of the kernel";
    REDIS_MEMORY_PEAK = "redis.memory.peak", "By", UpDown, [], "INFO memory", "The most memory that the server had allocated";
    REDIS_MAXMEMORY = "redis.maxmemory", "By", UpDown, [], "INFO memory", "Memory that the server may allocate; 0: no limit";
    REDIS_FRAGMENTATION = "redis.memory.fragmentation_ratio", "1", Gauge, [], "INFO memory", "Memory of the kernel by memory allocated";
    REDIS_HITS = "redis.keyspace.hits", "{hit}", Counter, [], "INFO stats", "Keys that were looked up and there";
    REDIS_MISSES = "redis.keyspace.misses", "{miss}", Counter, [], "INFO stats", "Keys that were looked up and not there";
    REDIS_EVICTED = "redis.keys.evicted", "{key}", Counter, [], "INFO stats", "Keys that were removed for want of memory";
    REDIS_EXPIRED = "redis.keys.expired", "{event}", Counter, [], "INFO stats", "Keys that were removed because their time was over";
    REDIS_COMMANDS = "redis.commands.processed", "{command}", Counter, [], "INFO stats", "Commands that were processed";
    REDIS_RECEIVED = "redis.connections.received", "{connection}", Counter, [], "INFO stats", "Connections that were accepted";
    REDIS_REJECTED = "redis.connections.rejected", "{connection}", Counter, [], "INFO stats", "Connections that were refused because there were too many";
    REDIS_NET_INPUT = "redis.net.input", "By", Counter, [], "INFO stats", "Bytes received";
    REDIS_NET_OUTPUT = "redis.net.output", "By", Counter, [], "INFO stats", "Bytes sent";
    REDIS_CPU = "redis.cpu.time", "s", Counter, ["state"], "INFO cpu", "Seconds of CPU that the server used";
    REDIS_SLAVES = "redis.slaves.connected", "{replica}", UpDown, [], "INFO replication", "Replicas that are connected";
    REDIS_KEYS = "redis.db.keys", "{key}", UpDown, ["db"], "INFO keyspace", "Keys of a database";
    REDIS_EXPIRES = "redis.db.expires", "{key}", UpDown, ["db"], "INFO keyspace", "Keys of a database that will expire";
    REDIS_CALLS = "redis.cmd.calls", "{call}", Counter, ["cmd"], "INFO commandstats", "Calls of a command";
    REDIS_CALL_TIME = "redis.cmd.time", "s", Counter, ["cmd"], "INFO commandstats", "Seconds that a command took in all";
    REDIS_SLOWLOG = "narrows.redis.slowlog.length", "{entry}", UpDown, [], "SLOWLOG LEN", "Entries of the slow log";

    MQ_CURRENT = "rabbitmq.message.current", "{message}", UpDown, ["rabbitmq.queue.name", "rabbitmq.vhost.name", "state"], "/api/queues", "Messages of a queue that wait (ready) or were delivered and not acknowledged";
    MQ_CONSUMERS = "rabbitmq.consumer.count", "{consumer}", UpDown, ["rabbitmq.queue.name", "rabbitmq.vhost.name"], "/api/queues", "Consumers of a queue";
    MQ_PUBLISHED = "rabbitmq.message.published", "{message}", Counter, ["rabbitmq.queue.name", "rabbitmq.vhost.name"], "/api/queues", "Messages that came into a queue";
    MQ_DELIVERED = "rabbitmq.message.delivered", "{message}", Counter, ["rabbitmq.queue.name", "rabbitmq.vhost.name"], "/api/queues", "Messages that were given to consumers";
    MQ_ACKNOWLEDGED = "rabbitmq.message.acknowledged", "{message}", Counter, ["rabbitmq.queue.name", "rabbitmq.vhost.name"], "/api/queues", "Messages that consumers have acknowledged";
    MQ_REDELIVERED = "narrows.rabbitmq.message.redelivered", "{message}", Counter, ["rabbitmq.queue.name", "rabbitmq.vhost.name"], "/api/queues", "Messages that were given to a consumer again";
    MQ_OLDEST = "narrows.rabbitmq.message.oldest_age", "s", Gauge, ["rabbitmq.queue.name", "rabbitmq.vhost.name"], "/api/queues", "Age of the message at a queue's head, by the timestamp that its sender gave it; 0 without a message";
    MQ_QUEUES = "narrows.rabbitmq.queues", "{queue}", UpDown, [], "/api/queues", "Queues that there are";
    MQ_MEM_USED = "rabbitmq.node.mem_used", "By", UpDown, ["rabbitmq.node.name"], "/api/nodes", "Memory that a node uses";
    MQ_MEM_LIMIT = "rabbitmq.node.mem_limit", "By", UpDown, ["rabbitmq.node.name"], "/api/nodes", "Memory above which a node stops publishers";
    MQ_DISK_FREE = "rabbitmq.node.disk_free", "By", UpDown, ["rabbitmq.node.name"], "/api/nodes", "Room on a node's disk";
    MQ_ALARM = "narrows.rabbitmq.node.alarm", "", Gauge, ["alarm", "rabbitmq.node.name"], "/api/nodes", "1 while a node stops publishers for want of memory or disk";
}
