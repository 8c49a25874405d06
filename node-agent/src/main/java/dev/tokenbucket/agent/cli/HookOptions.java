// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.CommandFailure;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.kernel.KernelDevices;
import dev.tokenbucket.agent.simulate.InterfaceChoice;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The hook that packets are assumed to pass. */
public final class HookOptions {
  static final class Interface {
    @Option(
        names = "--in",
        paramLabel = "INTERFACE",
        description = "The interface that receives the packets.")
    @Nullable String in;

    @Option(
        names = "--out",
        paramLabel = "INTERFACE",
        description = "The interface that sends the packets.")
    @Nullable String out;
  }

  @ArgGroup(multiplicity = "0..1")
  private Interface hook = new Interface();

  Direction direction() {
    return hook.out == null ? Direction.Ingress : Direction.Egress;
  }

  /**
   * The given policies that are on the hook; without an interface, those on any hook of the
   * direction.
   *
   * @throws CommandFailure if there is none, or one depends on a link's speed that is not known
   */
  List<NodePolicy> chosen(List<NodePolicy> policies, KernelDevices kernel) {
    String name = interfaceName();
    List<NodePolicy> ofDirection =
        policies.stream().filter(each -> each.direction() == direction()).toList();
    List<NodePolicy> chosen =
        name == null ? ofDirection : InterfaceChoice.on(name, ofDirection, kernel);
    if (chosen.isEmpty()) {
      throw new CommandFailure(
          Exit.FAILED,
          ("none of the %d policies applies to %s%s; --in and --out name an interface and"
                  + " the direction")
              .formatted(policies.size(), direction(), name == null ? "" : " on " + name));
    }
    requireRates(chosen);
    return chosen;
  }

  private static void requireRates(List<NodePolicy> chosen) {
    for (NodePolicy each : chosen) {
      if (each.needsLinkSpeed()) {
        throw new CommandFailure(
            Exit.FAILED,
            ("%s limits to %s, which is not known here; name with --in or --out an interface of"
                    + " this host whose link reports a speed")
                .formatted(each.name(), each.tokenRate().text()));
      }
    }
  }

  /** The interface's name; null if none is given. */
  @Nullable String interfaceName() {
    return hook.out == null ? hook.in : hook.out;
  }
}
