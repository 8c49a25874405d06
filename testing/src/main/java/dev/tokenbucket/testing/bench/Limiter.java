// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.api.v1alpha1.Hook;
import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.StepFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A limiter of an interface, installed for its turn and removed afterwards.
 *
 * @param title the name in the tables
 */
record Limiter(String title, Passes passes, Consumer<Limit> install, Runnable remove) {
  /** Packets per second, and packets at once. */
  record Limit(int rate, int burst) {
    /** The limit in the syntax of nftables. */
    String ofNftables() {
      return "limit rate over %d/second burst %d packets".formatted(rate, burst);
    }
  }

  /** Stands for the limit in a rule of nftables. */
  static final String LIMIT = "LIMIT";

  /** The packets that reach the network stack. */
  enum Passes {
    EVERYTHING,
    NOTHING,
    WHAT_THE_RATE_GRANTS
  }

  static Limiter none() {
    return new Limiter("no limiter", Passes.EVERYTHING, limit -> {}, () -> {});
  }

  /**
   * The classifier, as the agent programs it.
   *
   * @param bucket the fields of the policy's {@code bucket}
   */
  static Limiter classifier(
      String title, Programmer programmer, String interfaceName, Hook hook, String bucket) {
    return new Limiter(
        title,
        Passes.WHAT_THE_RATE_GRANTS,
        limit -> {
          Map<String, String> failures =
              programmer.apply(List.of(BenchPolicies.flooded(interfaceName, hook, bucket, limit)));
          if (!failures.isEmpty()) {
            throw new StepFailedException(title + ": " + failures, null);
          }
        },
        programmer::removeAll);
  }

  /**
   * A program at one of the classifier's hooks that drops everything.
   *
   * @param folder a folder on a BPF file system
   */
  static Limiter drop(
      String title, Kernel kernel, int program, int ifindex, HookPoint point, Path folder) {
    Attachment at = new Attachment(ifindex, point, folder);
    return new Limiter(
        title,
        Passes.NOTHING,
        limit -> {
          try {
            Files.createDirectories(folder);
          } catch (IOException e) {
            throw new StepFailedException("making " + folder, e);
          }
          kernel.attach(program, at);
        },
        () -> kernel.detach(at));
  }

  /**
   * A rule of nftables at the device's ingress hook, which follows directly after tc's.
   *
   * @param set a set that the rule uses, or nothing
   * @param rule the rule, with {@link #LIMIT} in place of the limit
   */
  static Limiter nftables(String title, String interfaceName, String set, String rule) {
    String table =
        """
        table netdev bench {
          %s
          chain ingress {
            type filter hook ingress device "%s" priority 0;
            %s
          }
        }
        """
            .formatted(set, interfaceName, rule);
    return new Limiter(
        title,
        Passes.WHAT_THE_RATE_GRANTS,
        limit -> Commands.run("nft", table.replace(LIMIT, limit.ofNftables())),
        () -> Commands.run("nft", "delete table netdev bench"));
  }

  /** iptables' match hashlimit with one bucket per source, in the first of iptables' chains. */
  static Limiter hashlimit(String title, String interfaceName) {
    return new Limiter(
        title,
        Passes.WHAT_THE_RATE_GRANTS,
        limit ->
            Commands.run(
                List.of(
                    ("iptables-nft -t raw -A PREROUTING -i %s -m hashlimit --hashlimit-above"
                            + " %d/second --hashlimit-burst %d --hashlimit-mode srcip"
                            + " --hashlimit-name bench -j DROP")
                        .formatted(interfaceName, limit.rate(), limit.burst())
                        .split(" ", -1))),
        // Deletes the chains too, because they would slow down the next limiter's packets.
        () -> Commands.run("nft", "delete table ip raw"));
  }
}
