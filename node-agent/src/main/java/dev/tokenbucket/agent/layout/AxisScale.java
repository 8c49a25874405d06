// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code enum axis_scale} of token_axis.h. A packet and a byte in units of the axis, and the
 * fractional bits of a rate.
 */
public final class AxisScale {
  public static final int AXIS_PACKET_SHIFT = 16;
  public static final int AXIS_BYTE_SHIFT = 4;
  public static final int AXIS_RATE_FRACTION = 40;

  private AxisScale() {}
}
