// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.pins;

import dev.tokenbucket.agent.files.FileTrees;
import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.layout.BucketKeyLayout;
import dev.tokenbucket.agent.layout.FlowKeyLayout;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The paths at which the agent pins its objects: one layout's folder, see {@link Layouts}.
 *
 * @param root the folder, on a BPF file system
 */
public record Pins(Path root) {
  /**
   * The layout of the pinned maps. Every change of a pinned map, or of a map that a pinned map
   * holds, raises this number: a change of its shape, of its path, and of the meaning of its bytes.
   * So an agent never takes maps of another layout for its own. Layout 1 had no folder of its own.
   */
  public static final int LAYOUT = 4;

  public static final List<String> HOST_MAPS =
      List.of(
          "parameters",
          "shared_buckets",
          "reservations",
          "table_counters",
          "bucket_tables",
          "flow_tables",
          "evicting_bucket_tables",
          "evicting_flow_tables",
          "places",
          "hints",
          "free_places",
          "place_cursors",
          "sightings",
          "admissions",
          "observation",
          "observation_counters",
          "observers");
  public static final List<String> HOOK_MAPS = List.of("counters", "not_ip", "failsafe_counters");

  public Path map(String name) {
    return root.resolve(name);
  }

  /** Whether all maps that the host's programs share are pinned. */
  public boolean hasHostMaps() {
    return HOST_MAPS.stream().allMatch(map -> Files.exists(map(map)));
  }

  public Path identities() {
    return root.resolve("identities");
  }

  /** Holds the key with which this host's tables are hashed. */
  public Path hashKey() {
    return root.resolve("hash_key");
  }

  /**
   * The pins of slots' tables, one folder per slot. Without CAP_SYS_ADMIN, user space has no other
   * way to open maps that are held by arrays of maps.
   */
  public Path slots() {
    return root.resolve("slots");
  }

  public Path slot(int slot) {
    return slots().resolve(String.valueOf(slot));
  }

  /** The pin of the map that holds a slot's keys. */
  public Path table(int slot) {
    return slot(slot).resolve("table");
  }

  /** The pin of one of the arrays that hold the places of a slot's buckets. */
  public Path places(int slot, int array) {
    return slot(slot).resolve("places-" + array);
  }

  /** Holds one folder per interface that a default route was last seen to lead over. */
  public Path routes() {
    return root.resolve("routes");
  }

  public Attachment hook(int ifindex, HookPoint point) {
    return Attachment.in(root.resolve("hooks"), ifindex, point);
  }

  public Map<String, Path> ofClassifier(Path hook) {
    Map<String, Path> pins = new HashMap<>();
    HOST_MAPS.forEach(name -> pins.put(name, map(name)));
    HOOK_MAPS.forEach(name -> pins.put(name, hook.resolve(name)));
    return pins;
  }

  public Map<String, Path> ofSweep() {
    Map<String, Path> pins = new HashMap<>();
    List.of(
            "parameters",
            "table_counters",
            "bucket_tables",
            "flow_tables",
            "places",
            "free_places",
            "place_cursors",
            "sightings",
            "admissions")
        .forEach(name -> pins.put(name, map(name)));
    return pins;
  }

  /** The name of the array of maps that holds the tables of such policies. */
  public static String tables(BucketPer per, boolean evicts) {
    String tables = per.hasBothAddresses() ? "flow_tables" : "bucket_tables";
    return evicts ? "evicting_" + tables : tables;
  }

  /** Bytes of a key: {@code struct flow_key} or {@code struct bucket_key} of maps.h. */
  public static int keySize(BucketPer per) {
    return (per.hasBothAddresses() ? FlowKeyLayout.STRUCT : BucketKeyLayout.STRUCT).size();
  }

  public List<Attachment> hooks() {
    return entries(root.resolve("hooks")).stream()
        .flatMap(folder -> hook(folder).stream())
        .toList();
  }

  /** A folder's entries in order; none if there is no such folder, or no longer one. */
  public static List<Path> entries(Path folder) {
    try (Stream<Path> each = Files.list(folder)) {
      return each.sorted().toList();
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Optional<Attachment> hook(Path folder) {
    String name = String.valueOf(folder.getFileName());
    return Stream.of(HookPoint.values())
        .flatMap(point -> point.ifindex(name).stream().map(index -> hook(index, point)))
        .findFirst();
  }

  public static void makeFolder(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("making " + folder, e);
    }
  }

  /** Removes a folder of pins. */
  public static void remove(Path folder) {
    try {
      FileTrees.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("removing " + folder, e);
    }
  }
}
