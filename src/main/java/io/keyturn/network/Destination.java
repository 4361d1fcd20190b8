package io.keyturn.network;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Set;

/**
 * Where a connection goes. Users name hosts and Keyturn connects, so addresses that only machines
 * of a cloud may ask, where they are told who they are, are refused.
 *
 * <p>They are refused after resolution, and all addresses of a name must be allowed. A client that
 * resolves the name again gets what was looked at here, because the JDK keeps an answer for half a
 * minute.
 */
public final class Destination {

  // Where clouds answer their machines besides link-local addresses: AWS by IPv6, Azure, Alibaba.
  private static final Set<InetAddress> METADATA =
      Set.of(
          InetAddress.ofLiteral("fd00:ec2::254"),
          InetAddress.ofLiteral("168.63.129.16"),
          InetAddress.ofLiteral("100.100.100.200"));

  private Destination() {}

  /** No connection is made, and why. */
  public static final class Refused extends Exception {

    private static final long serialVersionUID = 1L;

    private Refused(String sentence) {
      super(sentence, null, false, false);
    }
  }

  /**
   * The addresses of a host.
   *
   * @throws Refused if it has none, or one that is not allowed
   */
  public static List<InetAddress> resolve(String host) throws Refused {
    InetAddress[] addresses;
    try {
      addresses = InetAddress.getAllByName(host);
    } catch (UnknownHostException e) {
      throw new Refused("the name %s has no address: is it right?".formatted(host));
    }
    for (InetAddress address : addresses) {
      if (isForbidden(address)) {
        throw new Refused(
            "%s leads to a link-local or metadata address, which Keyturn does not ask: name another host"
                .formatted(host));
      }
    }
    return List.of(addresses);
  }

  static boolean isForbidden(InetAddress address) {
    if (address.isLinkLocalAddress()) {
      return true;
    }
    if (address instanceof Inet6Address six && six.isIPv4CompatibleAddress()) {
      byte[] bytes = six.getAddress();
      return bytes[12] == (byte) 169 && bytes[13] == (byte) 254;
    }
    return METADATA.contains(address);
  }
}
