/** A connection idle for longer is ended by the server, a transaction left open included. Above the pool's own idle bound. */
const minWaitTimeoutSeconds = 30;

/**
 * What a new connection sets, whatever the server's defaults are. Read committed, so that a statement sees what was committed while
 * its transaction waited for a lock. A comment that opens with `M!` runs on MariaDB alone, one with `!80000` on MySQL ≥ 8 alone: their names for the bound
 * on a statement differ, and MySQL has one for reads only (a write is bounded by its wait for locks, and by the client).
 */
export function sessionStatements(statementTimeoutMs: number): readonly string[] {
  const seconds = Math.ceil(statementTimeoutMs / 1_000);
  const idleSeconds = Math.ceil(seconds / 2);
  return [
    'set session transaction isolation level read committed',
    [
      `set session sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'`,
      `time_zone = '+00:00'`,
      `innodb_lock_wait_timeout = ${seconds}`,
      `wait_timeout = ${Math.max(minWaitTimeoutSeconds, seconds)}`,
    ].join(', '),
    `set session lock_wait_timeout = ${seconds} /*M! , max_statement_time = ${seconds}, idle_transaction_timeout = ${idleSeconds} */ /*!80000 , max_execution_time = ${statementTimeoutMs} */`,
  ];
}
