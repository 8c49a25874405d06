// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tokenbucket.agent.source.PolicyFiles.Parsed;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PolicyResolver;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicySpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * A policy ends when its file is deleted or holds another policy, whatever the file says meanwhile.
 */
class PolicyFilesProperties {
  /** A file's content at one look: names of policies, or a refusal. */
  private record Said(boolean refused, Set<String> names) {}

  @Property(tries = 300)
  void aPolicyGoesOnlyWhenEveryFileThatHadItIsDeleted(
      @ForAll("looks") List<Map<String, Said>> looks) {
    PolicyFiles files = new PolicyFiles(new TreeMap<>());
    for (Map<String, Said> look : looks) {
      PolicyFiles before = files;
      files = files.merge(parsed(look)).files();
      Set<String> now = names(files);
      before
          .good()
          .forEach(
              (file, policies) -> {
                List<String> names = policies.stream().map(NodePolicy::name).toList();
                if (look.containsKey(file) && names.containsAll(look.get(file).names())) {
                  assertThat(now).containsAll(names);
                }
              });
      assertThat(files.good().keySet()).isEqualTo(look.keySet());
    }
  }

  @Property(tries = 300)
  void aNameIsInForceOnce(@ForAll("looks") List<Map<String, Said>> looks) {
    PolicyFiles files = new PolicyFiles(new TreeMap<>());
    for (Map<String, Said> look : looks) {
      files = files.merge(parsed(look)).files();
      assertThat(files.policies()).extracting(NodePolicy::name).doesNotHaveDuplicates();
    }
  }

  @Provide
  Arbitrary<List<Map<String, Said>>> looks() {
    Arbitrary<Set<String>> names = Arbitraries.of("p", "q", "r", "s").set().ofMaxSize(3);
    Arbitrary<Said> said =
        names.flatMap(each -> Arbitraries.of(false, false, true).map(bad -> new Said(bad, each)));
    return Arbitraries.maps(Arbitraries.of("a.yaml", "b.yaml", "c.yaml"), said).list().ofMaxSize(8);
  }

  private static SortedMap<String, Parsed> parsed(Map<String, Said> look) {
    TreeMap<String, Parsed> parsed = new TreeMap<>();
    look.forEach(
        (file, said) ->
            parsed.put(
                file,
                said.refused()
                    ? Parsed.refused(List.of("no YAML"))
                    : new Parsed(policies(said.names()), List.of())));
    return parsed;
  }

  private static List<NodePolicy> policies(Set<String> names) {
    List<NodePolicy> policies = new ArrayList<>();
    new HashSet<>(names).stream().sorted().forEach(name -> policies.add(policy(name)));
    return policies;
  }

  private static NodePolicy policy(String name) {
    try {
      return PolicyResolver.resolve(
          name,
          name,
          1,
          new YAMLMapper().readValue("rate: {packetsPerSecond: 1}", TokenBucketPolicySpec.class));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Set<String> names(PolicyFiles files) {
    return files.policies().stream().map(NodePolicy::name).collect(Collectors.toSet());
  }
}
