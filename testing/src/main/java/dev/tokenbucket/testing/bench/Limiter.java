package dev.tokenbucket.testing.bench;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.StepFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What limits an interface: it is put there for its turn and taken away after it.
 *
 * @param title as the tables have it
 */
record Limiter(String title, Passes passes, Runnable install, Runnable remove) {
  /** What goes on to the network stack. */
  enum Passes {
    EVERYTHING,
    NOTHING,
    WHAT_THE_RATE_GRANTS
  }

  static Limiter none() {
    return new Limiter("no limiter", Passes.EVERYTHING, () -> {}, () -> {});
  }

  /** The classifier, as the agent programs it. */
  static Limiter classifier(String title, Programmer programmer, String interfaceName, String per) {
    return new Limiter(
        title,
        Passes.WHAT_THE_RATE_GRANTS,
        () -> {
          Map<String, String> failures =
              programmer.apply(List.of(BenchPolicies.flooded(interfaceName, per)));
          if (!failures.isEmpty()) {
            throw new StepFailedException(title + ": " + failures, null);
          }
        },
        programmer::removeAll);
  }

  /**
   * A program at the classifier's hook that drops everything.
   *
   * @param folder on a BPF file system
   */
  static Limiter drop(String title, Kernel kernel, int program, int ifindex, Path folder) {
    Attachment at = new Attachment(ifindex, Direction.Ingress, folder);
    return new Limiter(
        title,
        Passes.NOTHING,
        () -> {
          try {
            Files.createDirectories(folder);
          } catch (IOException e) {
            throw new StepFailedException("making " + folder, e);
          }
          kernel.attach(program, at);
        },
        () -> kernel.detach(at));
  }

  /** A rule of nftables at the device's ingress hook, which comes right after tc's. */
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
        () -> Commands.run("nft", table),
        () -> Commands.run("nft", "delete table netdev bench"));
  }

  /** A rule in the first of iptables' chains. */
  static Limiter iptables(String title, String interfaceName, List<String> match) {
    List<String> rule =
        new ArrayList<>(
            List.of("iptables-nft", "-t", "raw", "-A", "PREROUTING", "-i", interfaceName));
    rule.addAll(match);
    rule.addAll(List.of("-j", "DROP"));
    return new Limiter(
        title,
        Passes.WHAT_THE_RATE_GRANTS,
        () -> Commands.run(rule),
        // With its chains, which would cost the next limiter's packets something.
        () -> Commands.run("nft", "delete table ip raw"));
  }
}
