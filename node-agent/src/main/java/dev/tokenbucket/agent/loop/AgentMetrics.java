// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import dev.tokenbucket.agent.hooks.ProgramLoads;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.agent.program.RunningHook.Buckets;
import dev.tokenbucket.agent.program.RunningHook.RunningPolicy;
import dev.tokenbucket.api.BuildVersion;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import io.prometheus.metrics.model.snapshots.SummarySnapshot.SummaryDataPointSnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The metrics of this host for Prometheus. Counters are the kernel's own and are read at each
 * scrape, so a restart of the agent does not reset them. No label holds an address, so a flood of
 * sources creates no time series.
 */
public final class AgentMetrics {
  private final Supplier<List<RunningHook>> running;
  private final Work work;
  private volatile List<NodePolicy> asked = List.of();
  private volatile int failed;
  private final AtomicLong repairs = new AtomicLong();
  private volatile Optional<Instant> readBack = Optional.empty();

  /**
   * The agent's own work. The suppliers may be called from any thread.
   *
   * @param preparation the time that compiling or unpacking the classifier took at the agent's
   *     start
   * @param loads programs that the kernel has verified
   * @param lastContact when a report last reached the API server; empty if none has
   */
  public record Work(
      Duration preparation,
      Supplier<ProgramLoads> loads,
      Supplier<Optional<Instant>> lastContact) {}

  /**
   * @param running reads what the kernel runs; called by one thread at a time
   */
  public AgentMetrics(Supplier<List<RunningHook>> running, Work work) {
    this.running = running;
    this.work = work;
  }

  /**
   * Records that a set was applied. Only the agent's program loop calls this.
   *
   * @param repaired whether the agent had to correct the kernel although nothing new was asked for
   */
  void applied(List<NodePolicy> policies, int failures, boolean repaired) {
    asked = policies;
    failed = failures;
    if (repaired) {
      repairs.incrementAndGet();
    }
  }

  /** Records that the whole kernel state was just read back. Only the program loop calls this. */
  void readBack(Instant time) {
    readBack = Optional.of(time);
  }

  /**
   * The metrics in Prometheus' text format, version 0.0.4. Concurrent scrapes wait for each other.
   */
  synchronized byte[] scrape() throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    PrometheusTextFormatWriter.create().write(text, snapshots(running.get()));
    return text.toByteArray();
  }

  private MetricSnapshots snapshots(List<RunningHook> hooks) {
    MetricSnapshots.Builder all = MetricSnapshots.builder();
    ofPolicies(hooks, all);
    ofParameters(hooks, all);
    ofHooks(hooks, all);
    ofBuckets(hooks, all);
    GaugeSnapshot.Builder generations =
        gauges(
            "tokenbucket_policy_asked_generation",
            "The generation of each policy that this host is to enforce.");
    for (NodePolicy policy : asked) {
      generations.dataPoint(gauge(policy.generation(), Labels.of("policy", policy.name())));
    }
    all.metricSnapshot(generations.build());
    all.metricSnapshot(
        gauges(
                "tokenbucket_policies_failed",
                "Policies whose newest generation is not in force; tb status says why.")
            .dataPoint(gauge(failed, Labels.EMPTY))
            .build());
    all.metricSnapshot(
        counters(
                "tokenbucket_repairs",
                "How often the agent found its kernel objects changed by others, and repaired"
                    + " them.")
            .dataPoint(counter(repairs.get(), Labels.EMPTY))
            .build());
    ofWork(all);
    all.metricSnapshot(
        InfoSnapshot.builder()
            .name("tokenbucket_agent")
            .help("The running agent.")
            .dataPoint(
                InfoDataPointSnapshot.builder()
                    .labels(Labels.of("version", BuildVersion.current()))
                    .build())
            .build());
    return all.build();
  }

  private void ofWork(MetricSnapshots.Builder all) {
    ProgramLoads loads = work.loads().get();
    all.metricSnapshot(
        SummarySnapshot.builder()
            .name("tokenbucket_program_load_seconds")
            .help("The time that the kernel took to verify and load each program of a hook.")
            .dataPoint(
                SummaryDataPointSnapshot.builder()
                    .count(loads.count())
                    .sum(seconds(loads.time()))
                    .build())
            .build());
    all.metricSnapshot(
        gauges(
                "tokenbucket_classifier_preparation_seconds",
                "The time that compiling or unpacking the classifier took when the agent"
                    + " started.")
            .dataPoint(gauge(seconds(work.preparation()), Labels.EMPTY))
            .build());
    all.metricSnapshot(
        moment(
            "tokenbucket_last_contact_timestamp_seconds",
            "When the API server last accepted a report from this agent; absent before the first.",
            work.lastContact().get()));
    all.metricSnapshot(
        moment(
            "tokenbucket_last_read_back_timestamp_seconds",
            "When the agent last read back all its kernel objects; absent before the first.",
            readBack));
  }

  private static GaugeSnapshot moment(String name, String help, Optional<Instant> time) {
    GaugeSnapshot.Builder gauge = gauges(name, help);
    time.ifPresent(each -> gauge.dataPoint(gauge((double) each.getEpochSecond(), Labels.EMPTY)));
    return gauge.build();
  }

  private static double seconds(Duration time) {
    return (double) time.toNanos() / Duration.ofSeconds(1).toNanos();
  }

  private static void ofPolicies(List<RunningHook> hooks, MetricSnapshots.Builder all) {
    CounterSnapshot.Builder packets =
        counters(
            "tokenbucket_policy_packets", "Packets that a policy judged at a hook, by verdict.");
    CounterSnapshot.Builder bytes =
        counters("tokenbucket_policy_bytes", "Bytes of these packets, with link headers.");
    CounterSnapshot.Builder special =
        counters(
            "tokenbucket_policy_special_packets",
            "Packets among those: contended (another CPU held the bucket), overflow"
                + " (judged by the shared bucket), marked (instead of dropped) and parent (refused"
                + " by the parent bucket alone).");
    GaugeSnapshot.Builder generation =
        gauges(
            "tokenbucket_policy_generation",
            "The generation of a policy that the kernel enforces at a hook.");
    for (RunningHook hook : hooks) {
      for (RunningPolicy policy : hook.policies()) {
        Labels at = labels(hook).merge(Labels.of("policy", policy.name()));
        packets.dataPoint(counter(policy.conformPackets(), at.add("verdict", "conform")));
        packets.dataPoint(counter(policy.exceedPackets(), at.add("verdict", "exceed")));
        bytes.dataPoint(counter(policy.conformBytes(), at.add("verdict", "conform")));
        bytes.dataPoint(counter(policy.exceedBytes(), at.add("verdict", "exceed")));
        special.dataPoint(counter(policy.contendedPackets(), at.add("kind", "contended")));
        special.dataPoint(counter(policy.overflowPackets(), at.add("kind", "overflow")));
        special.dataPoint(counter(policy.markedPackets(), at.add("kind", "marked")));
        if (policy.parent() != null) {
          special.dataPoint(counter(policy.parent().exceedPackets(), at.add("kind", "parent")));
        }
        generation.dataPoint(gauge(policy.generation(), at));
      }
    }
    all.metricSnapshot(packets.build())
        .metricSnapshot(bytes.build())
        .metricSnapshot(special.build())
        .metricSnapshot(generation.build());
  }

  /** What the counters are compared with: each policy's parameters, as the kernel has them. */
  private static void ofParameters(List<RunningHook> hooks, MetricSnapshots.Builder all) {
    InfoSnapshot.Builder info =
        InfoSnapshot.builder()
            .name("tokenbucket_policy")
            .help("How the kernel applies a policy at a hook.");
    GaugeSnapshot.Builder rate =
        gauges(
            "tokenbucket_policy_rate",
            "What a bucket of the policy gains per second, in the unit of the label.");
    GaugeSnapshot.Builder burst =
        gauges(
            "tokenbucket_policy_burst",
            "What a bucket of the policy holds at most: packets, bytes or connections.");
    for (RunningHook hook : hooks) {
      for (RunningPolicy policy : hook.policies()) {
        Labels at = labels(hook).merge(Labels.of("policy", policy.name()));
        Labels unit = at.add("unit", policy.unit().name());
        info.dataPoint(
            InfoDataPointSnapshot.builder()
                .labels(
                    unit.add("per", policy.per().name())
                        .add("mode", policy.mode().name())
                        .add("action", policy.action().name()))
                .build());
        rate.dataPoint(gauge(policy.ratePerSecond(), unit));
        burst.dataPoint(gauge(policy.burst(), unit));
      }
    }
    all.metricSnapshot(info.build()).metricSnapshot(rate.build()).metricSnapshot(burst.build());
  }

  private static void ofHooks(List<RunningHook> hooks, MetricSnapshots.Builder all) {
    CounterSnapshot.Builder failsafes =
        counters(
            "tokenbucket_failsafe_packets",
            "Failsafe packets at a hook, by verdict: exempt, or exceed if beyond the rate"
                + " of their kind.");
    CounterSnapshot.Builder notIp =
        counters("tokenbucket_not_ip_packets", "Packets at a hook that are not IP, and passed.");
    for (RunningHook hook : hooks) {
      Labels at = labels(hook);
      for (RunningHook.Exempted each : hook.failsafes()) {
        Labels of = at.add("kind", each.kind());
        failsafes.dataPoint(counter(each.exemptPackets(), of.add("verdict", "exempt")));
        failsafes.dataPoint(counter(each.exceedPackets(), of.add("verdict", "exceed")));
      }
      notIp.dataPoint(counter(hook.notIpPackets(), at));
    }
    all.metricSnapshot(failsafes.build()).metricSnapshot(notIp.build());
  }

  private static void ofBuckets(List<RunningHook> hooks, MetricSnapshots.Builder all) {
    TreeMap<String, Buckets> tables = new TreeMap<>();
    for (RunningHook hook : hooks) {
      for (RunningPolicy policy : hook.policies()) {
        Buckets buckets = policy.buckets();
        if (buckets != null) {
          tables.put(policy.name(), buckets);
        }
      }
    }
    GaugeSnapshot.Builder used =
        gauges("tokenbucket_buckets_used", "Buckets in a policy's table on this host.");
    GaugeSnapshot.Builder capacity =
        gauges(
            "tokenbucket_buckets_capacity",
            "The number of buckets that a policy's table can hold.");
    CounterSnapshot.Builder evicted =
        counters(
            "tokenbucket_buckets_evicted",
            "The approximate number of buckets that made room for others.");
    tables.forEach(
        (policy, buckets) -> {
          Labels of = Labels.of("policy", policy);
          used.dataPoint(gauge(buckets.used(), of));
          capacity.dataPoint(gauge(buckets.capacity(), of));
          evicted.dataPoint(counter(buckets.evicted(), of));
        });
    all.metricSnapshot(used.build())
        .metricSnapshot(capacity.build())
        .metricSnapshot(evicted.build());
  }

  private static Labels labels(RunningHook hook) {
    return Labels.of(
        "interface",
        hook.interfaceName(),
        "direction",
        hook.direction().name(),
        "hook",
        hook.hook());
  }

  private static CounterSnapshot.Builder counters(String name, String help) {
    return CounterSnapshot.builder().name(name).help(help);
  }

  private static GaugeSnapshot.Builder gauges(String name, String help) {
    return GaugeSnapshot.builder().name(name).help(help);
  }

  private static CounterDataPointSnapshot counter(long value, Labels labels) {
    return CounterDataPointSnapshot.builder().value((double) value).labels(labels).build();
  }

  private static GaugeDataPointSnapshot gauge(long value, Labels labels) {
    return gauge((double) value, labels);
  }

  private static GaugeDataPointSnapshot gauge(double value, Labels labels) {
    return GaugeDataPointSnapshot.builder().value(value).labels(labels).build();
  }
}
