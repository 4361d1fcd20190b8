package io.keyturn.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DestinationTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "febf::1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "fd00:ec2::254",
        "168.63.129.16",
        "100.100.100.200"
      })
  void linkLocalAndMetadataAddressesAreRefused(String host) {
    assertThatThrownBy(() -> Destination.resolve(host))
        .isInstanceOfSatisfying(
            Destination.Refused.class,
            e -> assertThat(e).hasMessageContaining("link-local or metadata address"));
  }

  @Test
  void theRefusalSaysWhy() {
    assertThatThrownBy(() -> Destination.resolve("169.254.169.254"))
        .hasMessage(
            "169.254.169.254 leads to a link-local or metadata address, which Keyturn does not ask:"
                + " name another host");
    assertThatThrownBy(() -> Destination.resolve("no-such-host.invalid"))
        .hasMessage("the name no-such-host.invalid has no address: is it right?");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"127.0.0.1", "::1", "localhost", "10.0.0.1", "169.253.0.1", "fd00:ec2::253"})
  void othersAreAllowedLoopbackIncluded(String host) throws Destination.Refused {
    assertThat(Destination.resolve(host)).isNotEmpty();
  }
}
