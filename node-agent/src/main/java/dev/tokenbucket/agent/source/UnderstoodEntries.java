// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last understood entry of each policy of the node state, kept over restarts. The entry stays
 * in force when a later generation is not understood.
 */
public final class UnderstoodEntries {
  private static final Logger LOG = LoggerFactory.getLogger(UnderstoodEntries.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path stateDir;
  private Map<String, NodePolicy> entries;
  private boolean written = true;

  /** Reads the kept entries. A file that cannot be read, such as a newer agent's, is not used. */
  UnderstoodEntries(Path stateDir) {
    this.stateDir = stateDir;
    this.entries = read(StateFiles.UNDERSTOOD.in(stateDir));
  }

  private static Map<String, NodePolicy> read(Path file) {
    Map<String, NodePolicy> found = new TreeMap<>();
    if (!Files.exists(file)) {
      return found;
    }
    try {
      for (JsonNode each : JSON.readTree(file.toFile())) {
        NodePolicy entry = NodeStateReader.entry(each);
        found.put(entry.uid(), entry);
      }
    } catch (IOException e) {
      LOG.warn("{} can't be read and is created again: {}", file, Reason.of(e));
    }
    return found;
  }

  /** The entries by uid. */
  Map<String, NodePolicy> byUid() {
    return Map.copyOf(entries);
  }

  /** Keeps exactly these entries from now on. A failed write is repeated at the next call. */
  void keep(Collection<NodePolicy> now) {
    Map<String, NodePolicy> next = new TreeMap<>();
    now.forEach(entry -> next.put(entry.uid(), entry));
    if (written && next.equals(entries)) {
      return;
    }
    entries = next;
    try {
      Optional<String> problem =
          StateFiles.UNDERSTOOD.write(stateDir, JSON.writeValueAsString(next.values()));
      written = problem.isEmpty();
      problem.ifPresent(each -> LOG.warn("{}", each));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("an entry can't be written as JSON", e);
    }
  }
}
