// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A limit goes when its file is deleted, or says another one in its place. */
class PolicyDirectorySourceTest {
  @TempDir Path temporary;
  private Path policies;
  private Path stateDir;
  private PolicyDirectorySource source;

  @BeforeEach
  void makeAFolderWithOnePolicy() throws IOException {
    policies = Files.createDirectory(temporary.resolve("policies"));
    stateDir = Files.createDirectory(temporary.resolve("state"));
    write("a.yaml", policy("a", 1000));
    start();
    assertThat(rates()).containsExactly("a 1000");
  }

  private void writeWith(String field) throws IOException {
    write("b.yaml", policy("b", 10).replace("spec: {", "spec: {" + field + ", "));
  }

  @Test
  void whatAClusterAloneCouldDoIsRefused() throws IOException {
    writeWith("expiresAt: '2026-12-01T18:00:00Z'");
    assertThat(refusals()).singleElement().asString().contains("spec.expiresAt: Forbidden");
    writeWith("rollout: {paused: true}");
    assertThat(refusals()).singleElement().asString().contains("spec.rollout.paused: Forbidden");
    writeWith("nodeSelector: {matchLabels: {pool: edge}}");
    assertThat(refusals()).singleElement().asString().contains("spec.nodeSelector: Forbidden");
    writeWith("nodeSelector: {matchExpressions: [{key: pool, operator: Exists}]}");
    assertThat(refusals()).singleElement().asString().contains("spec.nodeSelector: Forbidden");
    assertThat(rates()).containsExactly("a 1000");
  }

  @Test
  void aSelectorThatANodeWithoutLabelsMatchesIsTaken() throws IOException {
    writeWith(
        "nodeSelector: {matchExpressions: [{key: a, operator: DoesNotExist}, {key: b, operator:"
            + " NotIn, values: [c]}]}");
    assertThat(refusals()).isEmpty();
    assertThat(rates()).containsExactly("a 1000", "b 10");
  }

  @Test
  void anEmptiedFileKeepsItsPolicyOverRestartsAndSaysSo() throws IOException {
    write("a.yaml", "");
    assertThat(rates()).containsExactly("a 1000");
    assertThat(refusals()).singleElement().asString().contains("a.yaml", "\"a\"", "deleted");
    start();
    assertThat(rates()).containsExactly("a 1000");
    assertThat(refusals()).hasSize(1);
  }

  @Test
  void aDocumentThatIsNotThereYetKeepsItsPolicy() throws IOException {
    write("a.yaml", policy("a", 1000) + "---\n" + policy("b", 2000));
    assertThat(rates()).containsExactly("a 1000", "b 2000");
    write("a.yaml", policy("a", 3000));
    assertThat(rates()).containsExactly("a 3000", "b 2000");
    assertThat(refusals()).singleElement().asString().contains("\"b\"");
  }

  @Test
  void aPolicyWithAnotherNameInItsPlaceEndsIt() throws IOException {
    write("a.yaml", policy("renamed", 1000));
    assertThat(rates()).containsExactly("renamed 1000");
    assertThat(refusals()).isEmpty();
  }

  @Test
  void aHalfWrittenFileKeepsWhatItLastSaid() throws IOException {
    write("a.yaml", policy("a", 2000).substring(0, 90));
    assertThat(rates()).containsExactly("a 1000");
    assertThat(refusals()).isNotEmpty();
  }

  @Test
  void aFileIsReadOnceItHoldsStill() throws IOException {
    write("a.yaml", policy("a", 2));
    assertThat(rateAtOneLook()).containsExactly("a 1000");
    write("a.yaml", policy("a", 2000));
    assertThat(rateAtOneLook()).containsExactly("a 1000");
    assertThat(rateAtOneLook()).containsExactly("a 2000");
  }

  @Test
  void aFileThatIsReplacedByRenamingIsReadAtOnce() throws IOException {
    Path partial = temporary.resolve("partial");
    Files.writeString(partial, policy("a", 2000));
    Files.move(partial, policies.resolve("a.yaml"), StandardCopyOption.REPLACE_EXISTING);
    assertThat(rateAtOneLook()).containsExactly("a 2000");
  }

  @Test
  void aDeletedFileTakesItsPolicyAway() throws IOException {
    Files.delete(policies.resolve("a.yaml"));
    assertThat(rates()).isEmpty();
    assertThat(refusals()).isEmpty();
  }

  @Test
  void aPolicyThatMovesToAnotherFileGoesOnAsTheSame() throws IOException {
    write("b.yaml", policy("b", 10));
    write("a.yaml", policy("b", 10));
    write("b.yaml", policy("a", 1000));
    assertThat(rates()).containsExactly("b 10", "a 1000");
    assertThat(refusals()).isEmpty();
    assertThat(state().policies()).allSatisfy(p -> assertThat(p.generation()).isEqualTo(1));
  }

  @Test
  void aChangeThatKeepsSizeAndTimeIsRead() throws IOException {
    FileTime time = Files.getLastModifiedTime(policies.resolve("a.yaml"));
    write("a.yaml", policy("a", 9000));
    Files.setLastModifiedTime(policies.resolve("a.yaml"), time);
    assertThat(rates()).containsExactly("a 9000");
  }

  @Test
  void theFolderUnderAnUnmountedFileSystemRemovesNothing() throws IOException {
    Path mounted = temporary.resolve("mounted");
    Files.move(policies, mounted);
    Files.createDirectory(policies);
    assertThat(rates()).containsExactly("a 1000");
    assertThat(refusals())
        .singleElement()
        .asString()
        .contains("check that its file system is mounted");
    start();
    assertThat(rates()).containsExactly("a 1000");
    Files.delete(policies);
    Files.move(mounted, policies);
    Files.delete(policies.resolve("a.yaml"));
    assertThat(rates()).isEmpty();
  }

  @Test
  void aFolderThatIsGoneLeavesTheLastGoodSetAlsoAtTheStart() throws IOException {
    Files.move(policies, temporary.resolve("elsewhere"));
    assertThat(rates()).containsExactly("a 1000");
    start();
    assertThat(rates()).containsExactly("a 1000");
    assertThat(refusals()).singleElement().asString().contains(policies.toString());
  }

  @Test
  void aFolderThatNeverWasIsRefused() {
    stateDir = temporary.resolve("fresh");
    assertThatThrownBy(() -> new PolicyDirectorySource(temporary.resolve("none"), stateDir))
        .hasMessageContaining("is not a folder");
  }

  @Test
  void aStateFolderThatCanNotBeWrittenIsSaidAndTheChangeIsInForce() throws IOException {
    stateDir = temporary.resolve("gone");
    start();
    write("a.yaml", policy("a", 2000));
    assertThat(rates()).containsExactly("a 2000");
    assertThat(refusals()).anyMatch(each -> each.contains("--state-dir"));
  }

  private void start() throws IOException {
    source = new PolicyDirectorySource(policies, stateDir);
  }

  private void write(String file, String text) throws IOException {
    Files.writeString(policies.resolve(file), text);
  }

  private static String policy(String name, int rate) {
    return """
    apiVersion: tokenbucket.dev/v1alpha1
    kind: TokenBucketPolicy
    metadata: {name: %s}
    spec: {rate: {packetsPerSecond: %d}}
    """
        .formatted(name, rate);
  }

  private DesiredState state() throws IOException {
    source.current();
    return source.current().orElseThrow();
  }

  private List<String> rates() throws IOException {
    return rates(state());
  }

  private List<String> rateAtOneLook() throws IOException {
    return rates(source.current().orElseThrow());
  }

  private static List<String> rates(DesiredState state) {
    return state.policies().stream().map(PolicyDirectorySourceTest::rate).toList();
  }

  private static String rate(NodePolicy policy) {
    return policy.name() + " " + policy.rate();
  }

  private List<String> refusals() throws IOException {
    return state().refusals();
  }
}
