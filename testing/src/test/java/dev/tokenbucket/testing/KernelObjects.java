// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The BPF programs, maps and links that the kernel has, as bpftool lists them. */
public record KernelObjects(Set<String> objects) {
  private static final int TRIES = 50;

  public static KernelObjects now() {
    Set<String> objects = new TreeSet<>();
    for (String type : List.of("prog", "map", "link")) {
      try {
        JsonNode list = new ObjectMapper().readTree(Commands.run("bpftool", "-j", type, "show"));
        list.forEach(
            each ->
                objects.add(
                    type + " " + each.path("id").asInt() + " " + each.path("name").asText()));
      } catch (JsonProcessingException e) {
        throw new StepFailedException("bpftool " + type + " show", e);
      }
    }
    return new KernelObjects(objects);
  }

  Set<String> without(KernelObjects others) {
    Set<String> rest = new TreeSet<>(objects);
    rest.removeAll(others.objects);
    return rest;
  }

  /**
   * The objects that were not in {@code before}, after the kernel has had 5 s to free unused ones.
   */
  public static Set<String> awaitNothingBeyond(KernelObjects before) {
    Set<String> beyond = now().without(before);
    for (int i = 0; i < TRIES && !beyond.isEmpty(); i++) {
      Daemon.pause(Duration.ofMillis(100));
      beyond = now().without(before);
    }
    return beyond;
  }
}
