// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.ProgramTestRun.Merged;
import dev.tokenbucket.agent.program.Trace.Burst;
import dev.tokenbucket.agent.program.Trace.Idle;
import dev.tokenbucket.agent.program.Trace.Limit;
import dev.tokenbucket.agent.program.Trace.Sweep;
import dev.tokenbucket.agent.program.Trace.Update;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/**
 * Issue 5, "Exactness: the oracle": random traces of bursts, idle times, updates and sweeps, for
 * several policies and keys, go to the loaded classifier and to a plain model in exact arithmetic.
 */
class OracleProperties extends KernelProperties {
  private static final int UDP_HEADERS = 42;

  /** Of the frames of a trace, in bytes. */
  private static final int SHORTEST = 60;

  @Property(tries = 15, shrinking = ShrinkingMode.BOUNDED)
  void withoutBatchesEveryVerdictIsTheOracles(@ForAll("small") Trace trace) {
    Run run = new Run(trace);
    for (Oracle oracle : run.oracles) {
      // Less than any packet costs, so of no effect.
      boolean bits = oracle.limit().unit() == RateUnit.Bits;
      assertThat(oracle.withheld()).isLessThan(bits ? SHORTEST << 4 : 1 << 16);
    }
    run.run();
  }

  @Property(tries = 15, shrinking = ShrinkingMode.BOUNDED)
  void withBatchesVerdictsKeepBothBounds(@ForAll("large") Trace trace) {
    Run run = new Run(trace);
    for (Oracle oracle : run.oracles) {
      int shift = oracle.limit().unit() == RateUnit.Bits ? 4 : 16;
      assertThat(oracle.withheld()).isLessThanOrEqualTo(oracle.limit().burst() << shift >> 5);
    }
    run.run();
  }

  @Provide
  Arbitrary<Trace> small() {
    return Trace.traces(
        Arbitraries.longs().between(1, 63), Arbitraries.longs().between(1514, 64 * SHORTEST - 1));
  }

  @Provide
  Arbitrary<Trace> large() {
    return Trace.traces(
        Arbitraries.longs().between(128, 20_000), Arbitraries.longs().between(200_000, 20_000_000));
  }

  /** One trace at the classifier, with an oracle a policy. */
  private final class Run {
    private final Trace trace;
    private final List<NodePolicy> policies = new ArrayList<>();
    private final List<Oracle> oracles = new ArrayList<>();
    private final long[] bentAt;
    private final long[] conformed;
    private final VirtualHook hook;
    private long now = VirtualHook.START;

    Run(Trace trace) {
      this.trace = trace;
      trace.policies().forEach(limit -> policies.add(limit.at(policies.size())));
      hook = hook(policies);
      for (int i = 0; i < policies.size(); i++) {
        AxisLine line = hook.line(policies.get(i), now);
        oracles.add(new Oracle(trace.policies().get(i), line, now));
      }
      bentAt = new long[policies.size()];
      conformed = new long[policies.size()];
    }

    void run() {
      try (hook) {
        trace.events().forEach(this::happens);
      }
    }

    private void happens(Trace.Event event) {
      if (event instanceof Burst burst) {
        arrive(burst);
      } else if (event instanceof Idle idle) {
        pass(idle.nanos());
      } else if (event instanceof Update update) {
        update(update);
      } else if (event instanceof Sweep sweep) {
        if (trace.policies().get(sweep.policy()).per() != BucketPer.Node) {
          hook.sweep(sweep.policy());
        }
      }
    }

    private void pass(long nanos) {
      hook.pass(nanos);
      now += nanos;
    }

    private void arrive(Burst burst) {
      byte[] frame = Frames.udp("10.0.0." + (burst.source() + 2), burst.length());
      int segments = burst.segments();
      int size = Math.max(1, (burst.length() - UDP_HEADERS) / segments);
      Merged merged = segments == 1 ? Merged.NONE : new Merged(segments, size, 0);
      long bytes = burst.length() + (segments - 1L) * UDP_HEADERS;
      for (int i = 0; i < burst.packets(); i++) {
        hook.passes(frame, merged);
        for (int policy = 0; policy < oracles.size(); policy++) {
          Oracle oracle = oracles.get(policy);
          boolean passed = hasConformed(policy);
          long cost = oracle.limit().unit() == RateUnit.Bits ? bytes : segments;
          oracle.judge(now, burst.source(), cost, passed);
          if (!passed) {
            break;
          }
        }
      }
    }

    private boolean hasConformed(int policy) {
      long before = conformed[policy];
      conformed[policy] = hook.counters(policy).conformPackets();
      return conformed[policy] > before;
    }

    private void update(Update update) {
      int policy = update.policy();
      if (now < bentAt[policy]) {
        pass(bentAt[policy] - now);
      }
      Limit limit = oracles.get(policy).limit().with(update.rate(), update.burst());
      NodePolicy changed = limit.at(policy);
      assertThat(hook.change(policy, changed, update.ahead())).isZero();
      bentAt[policy] = now + update.ahead();
      oracles.get(policy).update(limit, hook.line(changed, now), bentAt[policy]);
    }
  }
}
