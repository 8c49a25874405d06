// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.api.v1alpha1.AddressSetContents;
import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import io.github.resilience4j.core.IntervalFunction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The contents of address sets by their hash, kept over restarts. Contents that are asked for and
 * not kept are read from the API server, by a thread of its own, until the answer has this hash.
 * Nothing is watched: a set of 10,000 networks that changes would otherwise be sent to every node
 * at once, whatever a rollout says. Thread-safe.
 */
public final class AddressSetCache implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AddressSetCache.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final IntervalFunction BACKOFF =
      IntervalFunction.ofExponentialRandomBackoff(
          Duration.ofSeconds(1), 2, 0.5, Duration.ofMinutes(1));

  private final Path stateDir;
  private final Reader reader;
  private final Runnable changed;
  private final ExecutorService thread;
  private final Map<String, List<String>> contents;
  private final Map<AddressSetRef, Attempt> attempts = new HashMap<>();
  private long version;

  /** Reads a set's networks by the set's name. */
  @FunctionalInterface
  public interface Reader {
    /**
     * The networks of a set.
     *
     * @return empty if there is no such set
     * @throws IOException if the set could not be read; the message says why
     */
    Optional<List<String>> read(String name) throws IOException;
  }

  /**
   * The attempts to read a set.
   *
   * @param at when the next one is due, as {@link System#nanoTime}
   * @param failures so far
   */
  private record Attempt(boolean running, long at, int failures, String problem) {
    static final Attempt NONE = new Attempt(false, System.nanoTime(), 0, "");

    boolean isDue() {
      return !running && System.nanoTime() - at >= 0;
    }

    Attempt started() {
      return new Attempt(true, at, failures, problem);
    }

    Attempt failed(String why) {
      int all = failures + 1;
      long pause = TimeUnit.MILLISECONDS.toNanos(BACKOFF.apply(all));
      return new Attempt(false, System.nanoTime() + pause, all, why);
    }
  }

  /**
   * @param stateDir keeps the contents
   * @param changed called when contents have arrived, or the reason why they have not has changed
   */
  public AddressSetCache(Path stateDir, Reader reader, Runnable changed) {
    this.stateDir = stateDir;
    this.reader = reader;
    this.changed = changed;
    contents = kept(StateFiles.ADDRESS_SETS.in(stateDir));
    thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread made = new Thread(task, "address-sets");
              made.setDaemon(true);
              return made;
            });
  }

  /** The kept contents whose hash is right. */
  private static Map<String, List<String>> kept(Path file) {
    Map<String, List<String>> found = new TreeMap<>();
    if (!Files.exists(file)) {
      return found;
    }
    try {
      for (JsonNode set : JSON.readTree(file.toFile())) {
        List<String> cidrs = new ArrayList<>();
        set.forEach(cidr -> cidrs.add(cidr.asText()));
        AddressSetContents read = AddressSetContents.of(cidrs);
        found.put(read.hash(), read.cidrs());
      }
    } catch (IOException | IllegalArgumentException e) {
      LOG.warn("{} can't be read; its address sets are read again: {}", file, Reason.of(e));
    }
    return found;
  }

  /** A number that changes when contents have arrived, or the reason why they have not. */
  synchronized long version() {
    return version;
  }

  synchronized @Nullable List<String> find(AddressSetRef ref) {
    return contents.get(ref.contentHash());
  }

  /** Why contents are not there yet. */
  synchronized String problem(AddressSetRef ref) {
    String problem = attempts.getOrDefault(ref, Attempt.NONE).problem();
    return problem.isEmpty() ? "it is being read" : problem;
  }

  /** Reads these sets, unless they are there, are being read, or have to wait after a failure. */
  synchronized void want(Collection<AddressSetRef> refs) {
    attempts.keySet().retainAll(Set.copyOf(refs));
    for (AddressSetRef ref : refs) {
      Attempt attempt = attempts.getOrDefault(ref, Attempt.NONE);
      if (find(ref) == null && attempt.isDue()) {
        attempts.put(ref, attempt.started());
        thread.execute(() -> read(ref));
      }
    }
  }

  private void read(AddressSetRef ref) {
    String problem;
    try {
      problem = reader.read(ref.name()).map(cidrs -> take(ref, cidrs)).orElse("it does not exist");
    } catch (IOException | RuntimeException e) {
      problem = Reason.of(e);
    }
    ended(ref, problem);
    changed.run();
  }

  /** Keeps contents with the right hash; otherwise returns why they are not used. */
  private String take(AddressSetRef ref, List<String> cidrs) {
    AddressSetContents read = AddressSetContents.of(cidrs);
    if (!read.hash().equals(ref.contentHash())) {
      return "it has other contents by now, which this node is to get in its turn";
    }
    synchronized (this) {
      contents.put(read.hash(), read.cidrs());
    }
    return "";
  }

  private synchronized void ended(AddressSetRef ref, String problem) {
    Attempt before = attempts.getOrDefault(ref, Attempt.NONE);
    if (problem.isEmpty()) {
      attempts.remove(ref);
      LOG.info("address set {}: read {} networks", ref.name(), ref.cidrs());
    } else {
      attempts.put(ref, before.failed(problem));
      if (problem.equals(before.problem())) {
        return;
      }
      LOG.warn("address set {}: {}; trying again", ref.name(), problem);
    }
    version++;
  }

  /** Keeps the contents of exactly these sets from now on. A failed write is repeated later. */
  synchronized void keep(Collection<AddressSetRef> refs) {
    List<String> hashes = refs.stream().map(AddressSetRef::contentHash).toList();
    contents.keySet().retainAll(Set.copyOf(hashes));
    try {
      if (!contents.isEmpty() || Files.exists(StateFiles.ADDRESS_SETS.in(stateDir))) {
        StateFiles.ADDRESS_SETS
            .write(stateDir, JSON.writeValueAsString(contents))
            .ifPresent(each -> LOG.warn("{}", each));
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("address sets can't be written as JSON", e);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
