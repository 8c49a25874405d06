package dev.tokenbucket.agent.layout;

/**
 * {@code enum port_class} of match.h. Classes of ports that no port has: of packets without ports,
 * and with unknown ones.
 */
public final class PortClass {
  public static final int MATCH_NO_PORT = 0;
  public static final int MATCH_UNKNOWN_PORT = 1;

  private PortClass() {}
}
