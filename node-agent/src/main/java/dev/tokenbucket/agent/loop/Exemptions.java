// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.source.DesiredState;
import dev.tokenbucket.agent.source.InForce;
import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The exemptions on this node. The command line's options take precedence over the node state. */
public final class Exemptions {
  private static final Logger LOG = LoggerFactory.getLogger(Exemptions.class);

  private final Choice choice;
  private final Path stateDir;
  private FailsafeSettings settings;
  private List<String> lines = List.of();

  /** Combines the command line and a node state. */
  @FunctionalInterface
  public interface Choice {
    /**
     * The failsafes in force.
     *
     * @throws IllegalArgumentException if the node state breaks a rule
     */
    FailsafeSettings with(@Nullable NodeFailsafe byNodeState);
  }

  public Exemptions(Choice choice, Path stateDir) {
    this.choice = choice;
    this.stateDir = stateDir;
    this.settings = choice.with(null);
  }

  /**
   * The failsafes in force. If a node state's failsafe breaks a rule, the previous settings stay.
   */
  FailsafeSettings of(DesiredState wanted) {
    List<String> notes = new ArrayList<>(wanted.notes());
    try {
      settings = choice.with(wanted.failsafe());
    } catch (IllegalArgumentException e) {
      notes.add("spec.failsafe is invalid, so the previous exemptions stay: " + Reason.of(e));
    }
    publish(notes);
    return settings;
  }

  private void publish(List<String> notes) {
    List<String> now = new ArrayList<>(settings.describe());
    notes.forEach(note -> now.add("not understood: " + note));
    if (!now.equals(lines)) {
      lines = List.copyOf(now);
      notes.forEach(note -> LOG.warn("{}", note));
      LOG.info("exempt unless a policy disables it: {}", String.join("; ", settings.describe()));
      StateFiles.FAILSAFES
          .write(stateDir, String.join("\n", lines))
          .ifPresent(problem -> LOG.warn("{}", problem));
    }
  }

  /** Keeps these policies and the exemptions for commands that try packets. */
  void keep(List<NodePolicy> policies) {
    new InForce(policies, settings).write(stateDir).ifPresent(problem -> LOG.warn("{}", problem));
  }

  /** One line per exemption, as of the last {@link #of}. */
  List<String> lines() {
    return lines;
  }
}
