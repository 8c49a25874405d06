// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** The value of {@code not_ip} of maps.h: one number per CPU. */
public final class NotIpLayout {
  /** The map that holds it. */
  public static final String MAP = "not_ip";

  /** Frames that are not IP, or have no whole IP header. */
  public static final Field FRAMES = new Field("frames", 0, Long.BYTES);

  private NotIpLayout() {}
}
