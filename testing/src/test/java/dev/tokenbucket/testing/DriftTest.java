// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The agent finds and repairs changes that other software makes to the kernel's objects. */
class DriftTest extends HostTest {
  /** The time that docs/operations.md promises, and a margin for a busy machine. */
  private static final Duration READ_BACK = Duration.ofSeconds(60);

  @Test
  void aDetachedLinkIsAttachedAgain() throws IOException {
    apply(policy("detached", "rate: {packetsPerSecond: 1000}"));
    int before = host.status().path("hooks").get(0).path("programId").asInt();

    Commands.run(List.of("bpftool", "link", "detach", "pinned", pin("link").toString()));

    Poll.until(
        "another program on the hook",
        READ_BACK,
        () -> host.status().path("hooks").findPath("programId").asInt(before) != before);
    assertThat(host.policy("detached").path("rate").asInt()).isEqualTo(1000);
  }

  @Test
  void overwrittenParametersAreWrittenAgain() throws IOException {
    apply(policy("overwritten", "rate: {packetsPerSecond: 1000}"));
    assertThat(host.policy("overwritten").path("rate").asInt()).isEqualTo(1000);
    Path parameters = pin("parameters");
    int heard = agent.log().length();
    String size =
        Commands.run(List.of("bpftool", "map", "show", "pinned", parameters.toString()))
            .replaceAll("(?s).*value (\\d+)B.*", "$1");
    List<String> zeros = Collections.nCopies(Integer.parseInt(size), "0");
    for (int slot = 0; slot < 4; slot++) {
      List<String> update =
          new ArrayList<>(List.of("bpftool", "map", "update", "pinned", parameters.toString()));
      update.addAll(List.of("key", slot + "", "0", "0", "0", "value"));
      update.addAll(zeros);
      Commands.run(update);
    }

    Poll.until(
        "the agent to find it",
        READ_BACK,
        () -> agent.log().substring(heard).contains("programmed overwritten"));
    assertThat(host.policy("overwritten").path("rate").asInt()).isEqualTo(1000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"parameters", "counters", "table"})
  void aMapThatWasUnpinnedIsNoneThatTheAgentWritesToAlone(String name) throws IOException {
    String policy = "unpinned-" + name.replace('_', '-');
    apply(policy(policy, "rate: {packetsPerSecond: 1000}, bucket: {per: SourceIP}"));
    assertThat(usedBy(program(), pin(name)) || name.equals("table")).isTrue();
    int before = program();

    Files.delete(pin(name));

    Poll.until("another program on the hook", READ_BACK, () -> isAnother(program(), before));
    assertThat(usedBy(program(), pin(name)) || name.equals("table")).isTrue();
    change(policy(policy, "rate: {packetsPerSecond: 2000}, bucket: {per: SourceIP}"));
    assertThat(host.policy(policy).path("rate").asInt()).isEqualTo(2000);
  }

  /** The agent's lock keeps it until the next agent has put the limits in force. */
  @Test
  void anUnmountedBpfFileSystemIsMountedAgainAndTheFormerProgramEnds() throws IOException {
    apply(policy("unmounted", "rate: {packetsPerSecond: 1000}"));
    int before = program();

    Commands.run("umount", "--lazy", host.bpffs().toString());

    Poll.until("a BPF file system mounted again", READ_BACK, () -> isOnBpffs(host.bpffs()));
    Poll.until("another program on the hook", READ_BACK, () -> isAnother(program(), before));
    Poll.until("the former program's end", READ_BACK, () -> !isLoaded(before));
    assertThat(host.policy("unmounted").path("rate").asInt()).isEqualTo(1000);
    assertThat(agent.log()).contains("is another file system than before");
  }

  private static boolean isOnBpffs(Path folder) {
    try {
      return Files.getFileStore(folder).type().equals("bpf");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isLoaded(int program) {
    return Commands.end(List.of("bpftool", "prog", "show", "id", "" + program)).code() == 0;
  }

  private static boolean isAnother(int program, int before) {
    return program != 0 && program != before;
  }

  /** The hook's program; 0 where none is shown. */
  private int program() {
    return host.status().path("hooks").path(0).path("programId").asInt();
  }

  private static boolean usedBy(int program, Path pin) {
    String map = Commands.run("bpftool", "map", "show", "pinned", pin.toString());
    String id = map.substring(0, map.indexOf(':'));
    return (" " + Commands.run("bpftool", "prog", "show", "id", "" + program))
        .replaceAll("(?s).*map_ids ([0-9,]*).*", ",$1,")
        .contains("," + id + ",");
  }

  /** The file of that name on the host's BPF file system. */
  private Path pin(String name) {
    try (Stream<Path> pins = Files.walk(host.bpffs())) {
      return pins.filter(pin -> pin.endsWith(name)).findFirst().orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
