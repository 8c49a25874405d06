// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.RequiresRoot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checks that the bench's programs load and judge as they must. Their cost is not a matter of a
 * test.
 */
@ExtendWith(RequiresRoot.class)
class BenchTest {
  @TempDir Path folder = Path.of("");

  @Test
  void everyProgramRunsAndJudgesAsExpected() throws Exception {
    Path page = folder.resolve("page.md");
    Files.writeString(page, "before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n");

    // The bench fails if a program counts other verdicts than expected.
    Commands.run(
        List.of(
            ProcessHandle.current().info().command().orElse("java"),
            "-cp",
            System.getProperty("java.class.path"),
            Bench.class.getName(),
            "--rounds=1",
            "--millis=2",
            "--json=" + folder.resolve("results.json"),
            "--page=" + page));

    JsonNode results = new ObjectMapper().readTree(folder.resolve("results.json").toFile());
    assertThat(texts(results.path("micro").path("perPacket"), "key", "verdict"))
        .containsExactly(
            "node-wide CONFORM",
            "node-wide EXCEED",
            "per source CONFORM",
            "per source EXCEED",
            "5-tuple CONFORM",
            "5-tuple EXCEED");
    assertThat(texts(results.path("endToEnd").path("rows"), "limiter", "sources"))
        .startsWith(
            "no limiter 1",
            "drop everything at tc 1",
            "drop everything at XDP 1",
            "ours, node-wide 1",
            "nftables limit 1",
            "ours, per source 1",
            "ours at XDP, per source 1",
            "ours, per source, EvictOldest 1",
            "nftables set with limit 1",
            "iptables hashlimit 1",
            "ours, per source 1,024")
        .endsWith(
            "ours, per source random",
            "ours at XDP, per source random",
            "ours, per source, EvictOldest random",
            "nftables set with limit random",
            "iptables hashlimit random");
    assertThat(page)
        .content()
        .startsWith("before\n<!-- bench: begin -->\n\nMeasured ")
        .contains("| per source | exceeds |")
        .doesNotContain("old")
        .endsWith("<!-- bench: end -->\nafter\n");
  }

  private static Stream<String> texts(JsonNode rows, String first, String second) {
    return StreamSupport.stream(rows.spliterator(), false)
        .map(row -> row.path(first).asText() + " " + row.path(second).asText());
  }
}
