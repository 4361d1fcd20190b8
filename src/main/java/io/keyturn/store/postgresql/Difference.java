package io.keyturn.store.postgresql;

import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.sql.SQLException;

/**
 * In what two roles differ: memberships, privileges, possessions and settings, in numbers. Objects
 * are those of the database of the SecretStore and those of the whole server; what is temporary
 * does not count.
 */
record Difference(
    String first,
    String second,
    long common,
    Count memberships,
    Count privileges,
    Count possessions,
    Count settings) {

  /** Of some kind, what only one of them has. */
  record Count(long first, long second) {
    boolean none() {
      return first == 0 && second == 0;
    }
  }

  // pg_shdepend knows who owns or may use what, whatever it is. Which privilege it is stands in the
  // object, and is compared for the kinds that matter most. What each role has of its own by nature
  // (default privileges, user mappings, and that somebody is its member) does not count.
  private static final String HELD =
      """
      WITH pair AS (SELECT ?::bigint::oid AS first, ?::bigint::oid AS second),
      held(who, kind, what) AS (
        SELECT member, 'membership',
               concat_ws(' ', roleid, admin_option,
                         to_jsonb(m)->>'inherit_option', to_jsonb(m)->>'set_option')
          FROM pg_auth_members m, pair WHERE member IN (first, second)
        UNION ALL
        SELECT setrole, 'setting', concat_ws(' ', setdatabase, setconfig)
          FROM pg_db_role_setting, pair WHERE setrole IN (first, second)
        UNION ALL
        SELECT refobjid, CASE deptype WHEN 'o' THEN 'possession' ELSE 'privilege' END,
               concat_ws(' ', deptype, classid, objid, objsubid)
          FROM pg_shdepend d, pair
         WHERE refclassid = 'pg_authid'::regclass AND refobjid IN (first, second)
           AND deptype IN ('o', 'a', 'r')
           AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
           AND classid NOT IN ('pg_default_acl'::regclass, 'pg_user_mapping'::regclass,
                               'pg_auth_members'::regclass)
           AND NOT (classid = 'pg_class'::regclass AND EXISTS (
                 SELECT FROM pg_class c WHERE c.oid = d.objid AND c.relpersistence = 't'))
        UNION ALL
        SELECT grantee, 'privilege', concat_ws(' ', object, privilege_type, is_grantable)
          FROM (SELECT 'relation ' || oid AS object, relacl AS acl FROM pg_class
                 WHERE relpersistence <> 't'
                UNION ALL SELECT 'schema ' || oid, nspacl FROM pg_namespace
                UNION ALL SELECT 'function ' || oid, proacl FROM pg_proc
                UNION ALL SELECT 'database ' || oid, datacl FROM pg_database) o,
               pair, aclexplode(acl)
         WHERE acl IS NOT NULL AND grantee IN (first, second)),
      compared AS (
        SELECT kind, what, bool_or(who = first) AS by_first, bool_or(who = second) AS by_second
          FROM held, pair GROUP BY kind, what)
      SELECT count(*) FILTER (WHERE kind = 'membership' AND by_first AND by_second),
             count(*) FILTER (WHERE kind = 'membership' AND NOT by_second),
             count(*) FILTER (WHERE kind = 'membership' AND NOT by_first),
             count(*) FILTER (WHERE kind = 'privilege' AND NOT by_second),
             count(*) FILTER (WHERE kind = 'privilege' AND NOT by_first),
             count(*) FILTER (WHERE kind = 'possession' AND NOT by_second),
             count(*) FILTER (WHERE kind = 'possession' AND NOT by_first),
             count(*) FILTER (WHERE kind = 'setting' AND NOT by_second),
             count(*) FILTER (WHERE kind = 'setting' AND NOT by_first)
        FROM compared
      """;

  static Difference between(AdminSession admin, Role first, Role second) throws SQLException {
    return admin.ask(
        HELD,
        row ->
            new Difference(
                first.name(),
                second.name(),
                row.getLong(1),
                new Count(row.getLong(2), row.getLong(3)),
                new Count(row.getLong(4), row.getLong(5)),
                new Count(row.getLong(6), row.getLong(7)),
                new Count(row.getLong(8), row.getLong(9))),
        first.oid(),
        second.oid());
  }

  /** Fails if there is any. */
  void reject() {
    if (!memberships.none()) {
      throw differ(
          memberships,
          "memberships",
          "grant both of them the same group role with the same options");
    }
    if (common == 0) {
      throw new StoreException(
          Kind.PERMANENT,
          ("The roles %s and %s have no group role in common: grant both of them one that has the"
                  + " privileges of the application.")
              .formatted(first, second));
    }
    if (!possessions.none()) {
      throw differ(
          possessions,
          "objects",
          "give them to the group role (REASSIGN OWNED), and let both roles act as it (ALTER ROLE"
              + " ... SET role)");
    }
    if (!privileges.none()) {
      throw differ(privileges, "privileges", "grant them to the group role");
    }
    if (!settings.none()) {
      throw differ(settings, "settings", "make those of ALTER ROLE ... SET the same");
    }
  }

  private StoreException differ(Count count, String what, String advice) {
    return new StoreException(
        Kind.PERMANENT,
        "The roles differ, and an application would notice: %s alone has %d %s, and %s alone %d; %s."
            .formatted(first, count.first(), what, second, count.second(), advice));
  }
}
