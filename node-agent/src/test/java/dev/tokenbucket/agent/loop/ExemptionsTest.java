// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.agent.cli.FailsafeOptions;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.FailsafeSettings.ApiServer;
import dev.tokenbucket.agent.source.DesiredState;
import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

class ExemptionsTest {
  @Command
  static final class Options {
    @Mixin final FailsafeOptions failsafe = new FailsafeOptions();

    static Exemptions.Choice of(String... arguments) {
      Options options = new Options();
      new CommandLine(options).parseArgs(arguments);
      return options.failsafe::settings;
    }
  }

  private static DesiredState wanted(@Nullable NodeFailsafe failsafe) {
    return new DesiredState(1, List.of(), List.of(), failsafe, Map.of(), List.of());
  }

  private static final NodeFailsafe TOLD =
      new NodeFailsafe(
          List.of("10.0.0.0/24"),
          10_255,
          List.of("10.0.9.1:6443", "[fd00::1]:6443"),
          List.of(4789));

  @Test
  void theNodeStateSaysWhatNoOptionDoes(@TempDir Path stateDir) throws Exception {
    Exemptions byNodeState = new Exemptions(Options.of(), stateDir);
    assertThat(byNodeState.of(wanted(null))).isEqualTo(FailsafeSettings.LINK_ONLY);
    assertThat(byNodeState.of(wanted(TOLD)))
        .isEqualTo(
            new FailsafeSettings(
                List.of("10.0.0.0/24"),
                10_255,
                List.of(new ApiServer("10.0.9.1", 6443), new ApiServer("fd00::1", 6443)),
                List.of(4789)));
    assertThat(byNodeState.lines())
        .contains("kubelet: TCP 10255 with 10.0.0.0/24", "API server: TCP 6443 at 10.0.9.1");
    assertThat(StateFiles.FAILSAFES.lines(stateDir)).isEqualTo(byNodeState.lines());

    FailsafeSettings mixed =
        new Exemptions(
                Options.of("--failsafe-peer", "192.0.2.0/24", "--failsafe-kubelet-port", "10260"),
                stateDir)
            .of(wanted(TOLD));
    assertThat(mixed.peers()).containsExactly("192.0.2.0/24");
    assertThat(mixed.kubeletPort()).isEqualTo(10_260);
    assertThat(mixed.apiServers()).hasSize(2);
    assertThat(mixed.overlayPorts()).containsExactly(4789);
  }

  @Test
  void aNodeStateThatBreaksARuleLeavesWhatWasExempt(@TempDir Path stateDir) {
    Exemptions exemptions = new Exemptions(Options.of(), stateDir);
    FailsafeSettings good = exemptions.of(wanted(TOLD));
    NodeFailsafe tooMany =
        new NodeFailsafe(
            List.of("10.0.0.0/24"), null, List.of(), IntStream.rangeClosed(1, 8).boxed().toList());
    assertThat(exemptions.of(wanted(tooMany))).isEqualTo(good);
    assertThat(exemptions.lines())
        .anyMatch(line -> line.contains("spec.failsafe is invalid") && line.contains("at most 8"));
    assertThatThrownBy(() -> new Exemptions(Options.of("--failsafe-peer", "all"), stateDir))
        .isInstanceOf(ParameterException.class)
        .hasMessageContaining("failsafe peer \"all\"");
  }
}
