package io.keyturn.store.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.sql.SQLException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlFailureTest {

  private static final Server SERVER =
      new Server(TestRoles.provider("db", 5432, "payments", null).postgresql());

  private static void assertTold(StoreException told, Kind kind) {
    assertThat(told.kind()).isEqualTo(kind);
    assertThat(told).hasNoCause().hasMessageMatching("[A-Z].*\\.");
    assertThat(told.getMessage()).doesNotContain("quoted-value");
  }

  private static SQLException error(String state) {
    return new SQLException("quoted-value", state);
  }

  @ParameterizedTest
  @CsvSource({
    "08001, TRANSIENT",
    "08004, PERMANENT",
    "08006, TRANSIENT",
    "08P01, TRANSIENT",
    "25006, TRANSIENT",
    "40001, TRANSIENT",
    "42501, DENIED",
    "42704, NOT_FOUND",
    "53100, TRANSIENT",
    "53300, THROTTLED",
    "55P03, TRANSIENT",
    "57014, TRANSIENT",
    "57P01, TRANSIENT",
    "57P03, TRANSIENT",
    "XX000, TRANSIENT",
    "42601, PERMANENT",
    "quoted-value, PERMANENT",
    ", PERMANENT",
  })
  void aStatementIsToldByItsState(String state, Kind kind) {
    assertTold(SqlFailure.ofStatement(error(state), SERVER, "CREATEROLE"), kind);
  }

  @ParameterizedTest
  @CsvSource({
    "28P01, DENIED",
    "28000, DENIED",
    "3D000, PERMANENT",
    "42501, DENIED",
    "53300, THROTTLED",
    "57P03, TRANSIENT",
    "08006, TRANSIENT",
  })
  void aLoginIsToldByItsState(String state, Kind kind) {
    assertTold(SqlFailure.ofLogin(error(state), SERVER, "the admin"), kind);
  }
}
