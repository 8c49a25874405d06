// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.api.v1alpha1.AddressSetContents;
import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Address sets that a node state asks for, and an API server that has other ones, or none. */
class AddressSetCacheTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> OLD = List.of("192.0.2.0/24");
  private static final List<String> NEW = List.of("198.51.100.0/24", "2001:db8::/32");

  @TempDir Path stateDir;
  private final Semaphore ended = new Semaphore(0);
  private final List<AddressSetCache> opened = new ArrayList<>();
  private volatile @Nullable List<String> served;
  private volatile @Nullable IOException trouble;

  private AddressSetCache open() {
    AddressSetCache cache = new AddressSetCache(stateDir, name -> serve(), ended::release);
    opened.add(cache);
    return cache;
  }

  private Optional<List<String>> serve() throws IOException {
    if (trouble != null) {
      throw trouble;
    }
    return Optional.ofNullable(served);
  }

  @AfterEach
  void close() {
    opened.forEach(AddressSetCache::close);
  }

  private static AddressSetRef ref(List<String> cidrs) {
    return AddressSetContents.of(cidrs).named("s");
  }

  private void read(AddressSetCache cache, List<String> asked) throws InterruptedException {
    cache.want(List.of(ref(asked)));
    assertThat(ended.tryAcquire(20, TimeUnit.SECONDS)).as("an answer in time").isTrue();
  }

  /** An entry whose match names the set. */
  private static NodePolicy entry(String field, List<String> cidrs, long generation)
      throws IOException {
    ObjectNode entry =
        (ObjectNode)
            JSON.readTree(
                """
                {"name": "p", "uid": "uid-p", "generation": %d, "direction": "Ingress",
                 "interfaces": [{"name": "eth0"}], "priority": 0, "per": "Node", "capacity": 1,
                 "ipv4PrefixLength": 32, "ipv6PrefixLength": 128, "unit": "Packets", "rate": 1000,
                 "burst": 10, "action": "Drop", "mode": "Enforce"}
                """
                    .formatted(generation));
    entry.putArray("match").addObject().putArray(field).add(JSON.valueToTree(ref(cidrs)));
    return NodeStateReader.entry(entry);
  }

  private static AddressSetResolution resolve(
      AddressSetCache cache, NodePolicy entry, NodePolicy... former) {
    return AddressSetResolution.of(
        List.of(entry), former.length == 0 ? Map.of() : Map.of("uid-p", former[0]), cache);
  }

  @Test
  void onlyTheContentsThatAreAskedForAreUsed() throws Exception {
    AddressSetCache cache = open();
    NodePolicy entry = entry("sourceAddressSets", NEW, 2);
    assertThat(resolve(cache, entry).policies()).isEmpty();
    assertThat(resolve(cache, entry).missing()).containsExactly(ref(NEW));

    served = OLD;
    read(cache, NEW);
    assertThat(resolve(cache, entry).policies()).isEmpty();
    DesiredState.Unsupported waits =
        Objects.requireNonNull(resolve(cache, entry).waiting().get("uid-p"));
    assertThat(waits.reason()).isEqualTo(Reasons.PENDING);
    assertThat(waits.message())
        .isEqualTo(
            "TokenBucketAddressSet \"s\": it has other contents by now, which this node is to get"
                + " in its turn; until then the policy is not enforced on this node");

    served = NEW;
    for (int i = 0; i < 200 && cache.find(ref(NEW)) == null; i++) {
      cache.want(List.of(ref(NEW)));
      Thread.sleep(50);
    }
    assertThat(resolve(cache, entry).waiting()).isEmpty();
    assertThat(resolve(cache, entry).policies().get(0).match().get(0).sourceCIDRs()).isEqualTo(NEW);
  }

  @Test
  void theEarlierContentsStayInForceWhileTheNewOnesAreMissingAlsoAfterARestart() throws Exception {
    AddressSetCache cache = open();
    served = OLD;
    read(cache, OLD);
    NodePolicy former = entry("destinationAddressSets", OLD, 1);
    cache.keep(List.of(ref(OLD)));

    AddressSetCache restarted = open();
    served = null;
    read(restarted, NEW);
    AddressSetResolution resolved =
        resolve(restarted, entry("destinationAddressSets", NEW, 1), former);
    assertThat(resolved.policies().get(0).match().get(0).destinationCIDRs()).isEqualTo(OLD);
    assertThat(resolved.entries()).containsExactly(former);
    assertThat(Objects.requireNonNull(resolved.waiting().get("uid-p")).message())
        .isEqualTo(
            "TokenBucketAddressSet \"s\": it does not exist; until then generation 1 stays in force"
                + " with the sets' earlier contents");
  }

  @Test
  void anApiServerThatRefusesIsSaidAndAskedLessAndLessOften() throws Exception {
    AddressSetCache cache = open();
    trouble = new IOException("403");
    read(cache, NEW);
    long version = cache.version();
    assertThat(cache.problem(ref(NEW))).isEqualTo("403");
    cache.want(List.of(ref(NEW)));
    assertThat(ended.tryAcquire(100, TimeUnit.MILLISECONDS)).as("asked at once").isFalse();
    assertThat(cache.version()).isEqualTo(version);
  }

  @Test
  void keptContentsThatWereChangedAreNotUsed() throws Exception {
    Files.writeString(
        StateFiles.ADDRESS_SETS.in(stateDir), "{\"" + ref(OLD).contentHash() + "\": [\"::/0\"]}");
    assertThat(open().find(ref(OLD))).isNull();
    Files.writeString(StateFiles.ADDRESS_SETS.in(stateDir), "{\"a\": [\"nonsense\"]}");
    assertThat(open().find(ref(OLD))).isNull();
  }
}
