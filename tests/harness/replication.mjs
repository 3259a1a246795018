// Two real servers, one of which replicates from the other by GTID.
import assert from 'node:assert/strict';
import { startMysql } from './servers.mjs';

export async function executed(admin) {
  const [[row]] = await admin.query('SELECT @@GLOBAL.gtid_executed AS gtids, @@GLOBAL.server_uuid AS uuid');
  return { gtids: row.gtids.replaceAll('\n', ''), uuid: row.uuid };
}

// A second server, with an id of its own in `options`, that replicates from `mysql` and has caught up. `admin`: a
// connection to `mysql`. catchUp(connection) waits until it has all that is committed there now, promote() makes it a
// primary.
export async function startReplica({ mysql, admin, options, test }) {
  const { flavor } = mysql;
  const replica = await startMysql({ flavor, options, test });
  const connection = await replica.connect();
  await admin.query(`CREATE USER IF NOT EXISTS 'copy'@'%' IDENTIFIED BY 'copy'; GRANT REPLICATION SLAVE ON *.* TO 'copy'@'%'`);
  const from = `SOURCE_HOST='127.0.0.1', SOURCE_PORT=${mysql.port}, SOURCE_USER='copy', SOURCE_PASSWORD='copy'`;
  const begin = flavor === 'mysql'
    ? `CHANGE REPLICATION SOURCE TO ${from}, GET_SOURCE_PUBLIC_KEY=1, SOURCE_AUTO_POSITION=1; START REPLICA`
    : `CHANGE MASTER TO ${from.replaceAll('SOURCE_', 'MASTER_')}, MASTER_USE_GTID=slave_pos; START SLAVE`;
  await connection.query(begin);
  const catchUp = async (source = admin) => {
    const [sql, values] = flavor === 'mysql'
      ? ['SELECT WAIT_FOR_EXECUTED_GTID_SET(?, 30) AS late', [(await executed(source)).gtids]]
      : ['SELECT MASTER_GTID_WAIT(?, 30) AS late', [(await source.query('SELECT @@gtid_binlog_pos AS gtids'))[0][0].gtids]];
    const [[{ late }]] = await connection.query(sql, values);
    assert.equal(String(late), '0');
  };
  const promote = () => connection.query(flavor === 'mysql' ? 'STOP REPLICA; RESET REPLICA ALL' : 'STOP SLAVE; RESET SLAVE ALL');
  await catchUp();
  return { replica, connection, catchUp, promote };
}
