// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LastNodeStateTest {
  @TempDir Path stateDir = Path.of("");

  private static JsonNode spec(String text) throws IOException {
    return new ObjectMapper().readTree(text);
  }

  private Path file() {
    return stateDir.resolve("node-state.json");
  }

  @Test
  void whatWasKeptIsReadByTheNextAgentOfThatNodeAlone() throws IOException {
    JsonNode spec = spec("{\"policies\": [{\"name\": \"p\"}]}");
    new LastNodeState(stateDir, "n1").keep(7, spec);
    assertThat(new LastNodeState(stateDir, "n1").read())
        .contains(new LastNodeState.Seen("n1", 7, spec));
    assertThat(new LastNodeState(stateDir, "n2").read()).isEmpty();
  }

  @Test
  void whatIsForgottenIsNotRead() throws IOException {
    LastNodeState state = new LastNodeState(stateDir, "n1");
    state.keep(1, spec("{\"policies\": []}"));
    state.forget();
    assertThat(state.read()).isEmpty();
    assertThat(file()).doesNotExist();
  }

  /** If the agent took the file for an empty set, it would remove every limit. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "null",
        "[]",
        "{\"node\": \"n1\", \"generation\": 1}",
        "{\"node\": \"n1\", \"generation\": 1, \"spec\": null}",
        "{\"node\": \"n1\", \"generation\": 1, \"spec\": {}}",
        "{\"node\": \"n1\", \"generation\": 1, \"spec\": {\"policies\": {}}}"
      })
  void aFileThatIsNotWholeIsNotTaken(String text) throws IOException {
    Files.writeString(file(), text);
    assertThat(new LastNodeState(stateDir, "n1").read()).isEmpty();
  }

  @Test
  void aWriteThatFailedIsTriedAgain() throws IOException {
    LastNodeState state = new LastNodeState(stateDir, "n1");
    JsonNode spec = spec("{\"policies\": []}");
    Path inTheWay = Files.createDirectory(stateDir.resolve("node-state.json.partial"));
    state.keep(1, spec);
    assertThat(file()).doesNotExist();
    Files.delete(inTheWay);
    state.keep(1, spec);
    assertThat(file()).exists();
  }
}
