package dev.tokenbucket.agent;

import dev.tokenbucket.agent.match.FailsafeSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is exempt on this node: by the command line's options, and else by its node state. */
final class Exemptions {
  private static final Logger LOG = LoggerFactory.getLogger(Exemptions.class);

  private final FailsafeOptions options;
  private final Path stateDir;
  private FailsafeSettings settings;
  private List<String> lines = List.of();

  Exemptions(FailsafeOptions options, Path stateDir) {
    this.options = options;
    this.stateDir = stateDir;
    this.settings = options.settings(null);
  }

  /**
   * What is to be exempt; a node state's failsafe that breaks a rule leaves the former in force.
   */
  FailsafeSettings of(DesiredState wanted) {
    List<String> notes = new ArrayList<>(wanted.notes());
    try {
      settings = options.settings(wanted.failsafe());
    } catch (IllegalArgumentException e) {
      notes.add("spec.failsafe is not used, what was exempt stays so: " + e.getMessage());
    }
    tell(notes);
    return settings;
  }

  private void tell(List<String> notes) {
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

  /** A line for each thing that is exempt, as of the last {@link #of}. */
  List<String> lines() {
    return lines;
  }
}
