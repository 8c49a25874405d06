// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import dev.tokenbucket.agent.model.Memory.Bucket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The table of buckets, as tables.h and places.h have it: places that hold a bucket and its key, a
 * hash map whose entries say which place is a key's, and one hint that all keys share, the worst
 * case. Each method is done in one go, as the kernel does it under a lock.
 */
final class Table {
  /** A bucket and the words of its key; {@code last} is 0 while the key is not valid. */
  static final class Place {
    final Bucket bucket = new Bucket();
    int first;
    int last;
  }

  /** An entry's memory is reused at once, while others may still hold the entry. */
  static final class Entry {
    int place;
  }

  /** More than keys, so that every key finds a free one. */
  static final int PLENTY = 3;

  /** The place where a key was last found, which may have become another key's. */
  int hint;

  private final List<Place> places = new ArrayList<>();
  private final List<Integer> free = new ArrayList<>();
  private final Deque<Entry> unused = new ArrayDeque<>();
  private final Map<Key, Entry> entries = new HashMap<>();

  Table(int size) {
    for (int i = 0; i < size; i++) {
      places.add(new Place());
      free.add(i);
    }
    // The kernel has some more, one for each CPU.
    for (int i = 0; i < size + PLENTY; i++) {
      unused.push(new Entry());
    }
  }

  int size() {
    return places.size();
  }

  Place at(int place) {
    return places.get(place);
  }

  Optional<Entry> find(Key key) {
    return Optional.ofNullable(entries.get(key));
  }

  /** False where the key has an entry. */
  boolean insert(Key key, int place) {
    if (entries.containsKey(key)) {
      return false;
    }
    Entry entry = unused.pop();
    entry.place = place;
    entries.put(key, entry);
    return true;
  }

  /** Deletes the entry of the key with these words, whatever place it leads to. */
  void delete(int first, int last) {
    Optional<Key> key =
        entries.keySet().stream()
            .filter(each -> each.first() == first && each.last() == last)
            .findFirst();
    key.map(entries::remove).ifPresent(unused::push);
  }

  /** A place that nobody has. */
  OptionalInt take(Choices choices) {
    return free.isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of(free.remove(choices.below(free.size())));
  }

  void free(int place) {
    free.add(place);
  }
}
