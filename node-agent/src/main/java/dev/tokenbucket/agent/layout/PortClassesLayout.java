package dev.tokenbucket.agent.layout;

/**
 * {@code struct port_classes} of match.h. The class of each port, which is the index in network
 * order.
 */
public final class PortClassesLayout {
  public static final Struct STRUCT = Struct.named("port_classes").u16("of", 65536).build();

  private PortClassesLayout() {}
}
