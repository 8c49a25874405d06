// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;

/**
 * Asks drivers for the settings of links (linux/ethtool.h). An ioctl sees the network namespace of
 * this process, which /sys need not show.
 */
final class LinkSettings implements LinkSpeeds {
  private static final int AF_INET = 2;
  private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
  private static final long SIOCETHTOOL = 0x8946;
  private static final int ETHTOOL_GLINKSETTINGS = 0x4c;

  /** Bytes of struct ifreq, and where its union begins, behind the interface's name. */
  private static final int REQUEST = 40;

  private static final int REQUEST_DATA = NativeCalls.INTERFACE_NAME;

  /** Fields of struct ethtool_link_settings. */
  private static final int SPEED_AT = 4;

  private static final int MASK_WORDS_AT = 15;

  /** The struct with its three masks, each of at most 127 words. */
  private static final int SETTINGS = 48 + 3 * Byte.MAX_VALUE * Integer.BYTES;

  /** 10 Tbit/s, the highest rate of the API; SPEED_UNKNOWN is above. */
  private static final long MOST = 10_000_000;

  private final NativeCalls calls;

  LinkSettings(NativeCalls calls) {
    this.calls = calls;
  }

  @Override
  public Optional<Long> megabits(int index) {
    return calls.interfaceName(index).flatMap(this::megabits);
  }

  private Optional<Long> megabits(String name) {
    int socket =
        NetlinkSocket.check(
            calls, "opening a socket", calls.library().socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0));
    try {
      Pointer settings = Memory.allocateDirect(calls.runtime(), SETTINGS, true);
      settings.putInt(0, ETHTOOL_GLINKSETTINGS);
      if (!ask(socket, name, settings)) {
        return Optional.empty();
      }
      // The kernel answers the first question with the negative length of its masks alone.
      int words = -settings.getByte(MASK_WORDS_AT);
      settings.setMemory(0, SETTINGS, (byte) 0);
      settings.putInt(0, ETHTOOL_GLINKSETTINGS);
      settings.putByte(MASK_WORDS_AT, (byte) words);
      return ask(socket, name, settings)
          ? Optional.of(Integer.toUnsignedLong(settings.getInt(SPEED_AT)))
              .filter(speed -> speed > 0 && speed <= MOST)
          : Optional.empty();
    } finally {
      calls.close(socket);
    }
  }

  /** False if the interface is gone, or its driver has no such settings. */
  private boolean ask(int socket, String name, Pointer settings) {
    Pointer request = Memory.allocateDirect(calls.runtime(), REQUEST, true);
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    request.put(0, text, 0, text.length);
    request.putAddress(REQUEST_DATA, settings.address());
    try {
      return calls.library().ioctl(socket, SIOCETHTOOL, request) == 0;
    } finally {
      // The kernel reads the settings by their address, and an address keeps nothing from being
      // collected.
      Reference.reachabilityFence(settings);
    }
  }
}
