// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.Runner;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A flood of random sources, a million packets per second against a table that holds few of them:
 * clients that were there before keep their goodput, and new ones get in. In the kernel and under a
 * virtual clock. Needs root.
 */
class FloodOfSourcesTest extends KernelTest {
  private static final long SECOND = 1_000_000_000L;

  private static final int PACKETS = Integer.getInteger("flood.packets", 1_000_000);

  /** In all; a source is heard a tenth of a time per second. */
  private static final int SOURCES = 10_000_000;

  private static final long APART = 1_000;

  /** Places per packet of the flood: 10 million packets meet 400,000 places, which is 64 MiB. */
  private static final int CAPACITY = PACKETS / 25;

  private static final int KNOWN = 100;
  private static final int NEW = 10;
  private static final int FIRST_OF_FLOOD = 172 << 24;
  private static final int FIRST_KNOWN = 10 << 24 | 1 << 16;
  private static final int FIRST_NEW = 10 << 24 | 2 << 16;

  /** 20 packets per second, of which 50 would be granted. */
  private static final int BETWEEN = (int) (SECOND / 20 / APART);

  private static final Policy POLICY = Policy.packets(50, 20).perSource(CAPACITY);
  private static final int SWEEP_EVERY = (int) (2 * SECOND / APART);
  private static final int SOURCE_OFFSET = 26;

  private final byte[] frame = Frames.udp("10.0.0.1", 64);
  private long now;

  private boolean passes(Runner packets, int source) {
    ByteBuffer.wrap(frame).putInt(SOURCE_OFFSET, source);
    packets.load(frame, frame.length);
    return packets.run(now) != Runner.DROPPED;
  }

  /** The packets that a group of clients sent, and those that passed. */
  private static final class Clients {
    private final int first;
    private final int count;
    private int sent;
    private int passed;

    Clients(int first, int count) {
      this.first = first;
      this.count = count;
    }

    double goodput() {
      return (double) passed / sent;
    }
  }

  /** The clients' packets are spread evenly. */
  private void send(Runner packets, Clients clients, int packet) {
    int phase = packet % BETWEEN;
    int gap = BETWEEN / clients.count;
    if (phase % gap != 0 || phase / gap >= clients.count) {
      return;
    }
    clients.sent++;
    clients.passed += passes(packets, clients.first + phase / gap) ? 1 : 0;
  }

  @Test
  void knownClientsKeepTheirGoodputAndNewOnesGetIn() {
    Clients known = new Clients(FIRST_KNOWN, KNOWN);
    Clients fresh = new Clients(FIRST_NEW, NEW);
    Random random = new Random(17);
    try (VirtualHook hook = hook(POLICY)) {
      Runner packets = hook.runner();
      now = hook.now();
      for (int packet = 0; packet < BETWEEN; packet++, now += APART) {
        send(packets, new Clients(FIRST_KNOWN, KNOWN), packet);
      }
      for (int packet = 0; packet < PACKETS; packet++, now += APART) {
        passes(packets, FIRST_OF_FLOOD + random.nextInt(SOURCES));
        send(packets, known, packet);
        if (packet >= PACKETS / 4) {
          send(packets, fresh, packet);
        }
        if (packet % SWEEP_EVERY == SWEEP_EVERY - 1) {
          hook.sweepRested(0, now, 10 * SECOND);
        }
      }
      System.out.printf(
          "%d packets of %d sources, %d places: known clients keep %.1f %%, new ones %.1f %%%n",
          PACKETS, SOURCES, CAPACITY, 100 * known.goodput(), 100 * fresh.goodput());
      assertThat(hook.counters(0).overflow()).as("the table was full").isGreaterThan(PACKETS / 2);
      assertThat(known.goodput()).as("known clients").isGreaterThanOrEqualTo(0.95);
      assertThat(fresh.goodput()).as("new clients").isGreaterThanOrEqualTo(0.8);
    }
  }
}
