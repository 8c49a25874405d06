// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.agent.source.PolicyFiles.Merged;
import dev.tokenbucket.agent.source.PolicyFiles.Parsed;
import dev.tokenbucket.agent.source.PolicyFolder.Look;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Policies from the YAML files of a folder. The last valid content of a file stays in force, also
 * over restarts, until the file is deleted.
 */
public final class PolicyDirectorySource implements DesiredStateSource {
  private static final Logger LOG = LoggerFactory.getLogger(PolicyDirectorySource.class);
  private static final Duration POLL = Duration.ofMillis(200);

  private final Path path;
  private final PolicyFolder folder;
  private final Path stateDir;
  private final PolicyFileParser parser;
  private final ObjectMapper json = new ObjectMapper();

  private PolicyFiles files;

  /** The identity of the folder that the files were last read from; empty before the first look. */
  private String identity;

  private List<String> logged = List.of();
  private Optional<DesiredState> last = Optional.empty();

  public PolicyDirectorySource(Path path, Path stateDir) throws IOException {
    this.path = path;
    this.folder = new PolicyFolder(path);
    this.stateDir = stateDir;
    this.parser = new PolicyFileParser(PolicyFileParser.Taker.HOST);
    Path lastGood = StateFiles.LAST_GOOD.in(stateDir);
    this.files =
        new PolicyFiles(
            Files.exists(lastGood)
                ? json.readValue(lastGood.toFile(), GoodFiles.class)
                : new TreeMap<>());
    this.identity = String.join("", StateFiles.FOLDER.lines(stateDir));
    if (!Files.isDirectory(path) && files.good().isEmpty()) {
      throw new IOException("--policies " + path + " is not a folder");
    }
  }

  /** For Jackson, which needs a named type. */
  static final class GoodFiles extends TreeMap<String, List<NodePolicy>> {
    private static final long serialVersionUID = 1;
  }

  @Override
  public Optional<DesiredState> current() throws IOException {
    Optional<Look> changed;
    try {
      changed = folder.changed();
    } catch (IOException e) {
      return remember(
          List.of(),
          List.of(
              "--policies %s can't be read (%s); the last good policies stay in force"
                  .formatted(path, Reason.of(e))));
    }
    if (changed.isEmpty()) {
      return last;
    }
    Look look = changed.get();
    if (isAnother(look)) {
      return remember(
          List.of(),
          List.of(
              ("--policies %s is another folder than before, and holds no policy file: check that"
                      + " its file system is mounted. The last good policies stay in force; tb"
                      + " cleanup removes them")
                  .formatted(path)));
    }
    return take(look);
  }

  /**
   * Whether the path shows another, empty folder, as after an unmount: nobody has deleted the
   * files.
   */
  private boolean isAnother(Look look) {
    return look.files().isEmpty() && !files.good().isEmpty() && !look.identity().equals(identity);
  }

  private Optional<DesiredState> take(Look look) throws IOException {
    TreeMap<String, Parsed> parsed = new TreeMap<>();
    Map<String, NodePolicy> before = files.byName();
    look.files().forEach((name, content) -> parsed.put(name, parser.parse(content, before)));
    Merged merged = files.merge(parsed);
    files = merged.files();
    identity = look.identity();
    List<String> problems = new ArrayList<>();
    StateFiles.LAST_GOOD
        .write(stateDir, json.writeValueAsString(files.good()))
        .ifPresent(problems::add);
    StateFiles.FOLDER.write(stateDir, identity).ifPresent(problems::add);
    return remember(merged.refusals(), problems);
  }

  /**
   * The policies in force.
   *
   * @param refusals refusals of files, each beginning with the file's name
   * @param problems all other problems
   */
  private Optional<DesiredState> remember(List<String> refusals, List<String> problems) {
    List<String> all = Stream.concat(refusals.stream(), problems.stream()).toList();
    if (!all.equals(logged)) {
      writeRefusals(all);
      refusals.forEach(
          each -> LOG.error("refused {}; the last valid content of the file stays in force", each));
      problems.forEach(each -> LOG.error("{}", each));
      logged = all;
    }
    last = Optional.of(new DesiredState(0, files.policies(), all));
    return last;
  }

  @Override
  public boolean looked() {
    return last.isPresent();
  }

  // The folder is polled, not watched: inotify is silent on network file systems, and for the
  // symbolic links by which Kubernetes projects a ConfigMap.
  @Override
  public Duration poll() {
    return POLL;
  }

  @Override
  public boolean report(
      Applied applied, List<RunningHook> running, Map<String, List<String>> warnings) {
    List<String> lines = new ArrayList<>(applied.state().refusals());
    applied.failures().forEach((uid, why) -> lines.add(uid + ": " + why));
    writeRefusals(lines);
    return true;
  }

  /** Called by two threads: the one that reads files, and the one that reports. */
  private synchronized void writeRefusals(List<String> lines) {
    StateFiles.REFUSALS
        .write(stateDir, String.join("\n", lines))
        .ifPresent(problem -> LOG.warn("{}", problem));
  }

  @Override
  public void close() {}
}
