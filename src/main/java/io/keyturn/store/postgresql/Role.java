package io.keyturn.store.postgresql;

import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/**
 * A role as it is at the server.
 *
 * @param oid its number
 * @param name its name
 * @param canLogin whether it may log in
 * @param power what it may do that is too much for an application; empty: nothing
 * @param manner attributes that differ in harmless ways, to compare
 * @param limit of its connections; negative: none
 * @param expires whether its password ends at some time
 */
record Role(
    long oid,
    String name,
    boolean canLogin,
    String power,
    String manner,
    int limit,
    boolean expires) {

  private static final String BY_NAME =
      """
      SELECT oid::bigint, rolname::text, rolcanlogin,
             concat_ws(', ', CASE WHEN rolsuper THEN 'SUPERUSER' END,
                             CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
                             CASE WHEN rolreplication THEN 'REPLICATION' END,
                             CASE WHEN rolbypassrls THEN 'BYPASSRLS' END),
             concat_ws(', ', CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
                             CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END),
             rolconnlimit,
             rolvaliduntil IS NOT NULL AND isfinite(rolvaliduntil)
        FROM pg_roles WHERE rolname = ?
      """;

  static Optional<Role> find(AdminSession admin, String name) throws SQLException {
    return Optional.ofNullable(admin.ask(BY_NAME, Role::read, name));
  }

  /**
   * The one of that name.
   *
   * @throws StoreException of kind NOT_FOUND if there is none
   */
  static Role get(AdminSession admin, String name) throws SQLException {
    return find(admin, name)
        .orElseThrow(() ->
            new StoreException(
                Kind.NOT_FOUND, "The role %s does not exist: create it.".formatted(name)));
  }

  private static Role read(ResultSet row) throws SQLException {
    return new Role(
        row.getLong(1),
        row.getString(2),
        row.getBoolean(3),
        row.getString(4),
        row.getString(5),
        row.getInt(6),
        row.getBoolean(7));
  }

  /** Changes it. The row is locked from then on, for sessions in other databases, too. */
  void alter(AdminSession admin, String options) throws SQLException {
    admin.execute("ALTER ROLE %s %s".formatted(admin.identifier(name), options));
  }

  /** Its comment as it was committed last; null: none. */
  String comment(AdminSession admin) throws SQLException {
    return admin.ask(
        "SELECT shobj_description(?::bigint::oid, 'pg_authid')", row -> row.getString(1), oid);
  }

  void comment(AdminSession admin, String text) throws SQLException {
    admin.execute(
        "COMMENT ON ROLE %s IS %s".formatted(admin.identifier(name), admin.literal(text)));
  }

  /** How many sessions it has, in any database. */
  long sessions(AdminSession admin) throws SQLException {
    return admin.ask(
        "SELECT count(*) FROM pg_stat_activity WHERE usesysid = ?::bigint::oid",
        row -> row.getLong(1),
        oid);
  }

  void terminateSessions(AdminSession admin) throws SQLException {
    admin.ask(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            + " WHERE usesysid = ?::bigint::oid",
        row -> row.getLong(1),
        oid);
  }
}
