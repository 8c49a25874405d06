// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import dev.tokenbucket.agent.log.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The policy files of a folder, which is looked at again and again. Files are compared by content:
 * a copy that keeps size and modification time is a change, too. Attributes reveal most changes at
 * once; the contents are read again every {@link #REREAD}, regardless of the attributes.
 */
public final class PolicyFolder {
  /** Larger files are not read. */
  static final long MAX_FILE_BYTES = 1 << 20;

  private static final Duration REREAD = Duration.ofSeconds(5);

  private static final String INODE = "ino";

  /** Stands for the folder among the names of files; no file has this name. */
  private static final String FOLDER = "";

  private final Path folder;
  private Map<String, Map<String, Object>> attributes = Map.of();
  private Look last = new Look("", Map.of());
  private long readAt;
  private boolean settled;
  private boolean first = true;

  PolicyFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * The files at one moment.
   *
   * @param identity distinguishes this folder from another one at the same path, such as the mount
   *     point that remains when a file system is unmounted
   * @param files the text of each policy file, by name, in the order of names; a file that is too
   *     large or cannot be read has the reason in place of its text
   */
  record Look(String identity, Map<String, Content> files) {}

  /** A file's text, or why there is none. */
  public record Content(Optional<String> text, String problem) {
    public static Content of(String text) {
      return new Content(Optional.of(text), "");
    }

    static Content unreadable(String problem) {
      return new Content(Optional.empty(), problem);
    }
  }

  /**
   * The files, if they differ from the last ones that this method returned. A change counts once
   * two looks in a row have found the same, so that no file is taken while it is being written. A
   * change made only of replaced files counts at once.
   */
  Optional<Look> changed() throws IOException {
    Map<String, Map<String, Object>> now = attributes();
    boolean due = System.nanoTime() - readAt > REREAD.toNanos();
    if (!first && settled && !due && now.equals(attributes)) {
      return Optional.empty();
    }
    Look look = new Look(String.valueOf(now.get(FOLDER)), read(now.keySet()));
    boolean same = !first && look.equals(last);
    boolean whole = first || (!same && differsByReplacedFiles(look, now));
    boolean report = whole || (same && !settled);
    settled = whole || same;
    first = false;
    attributes = now;
    last = look;
    readAt = System.nanoTime();
    return report ? Optional.of(look) : Optional.empty();
  }

  private boolean differsByReplacedFiles(Look look, Map<String, Map<String, Object>> now) {
    return look.identity().equals(last.identity())
        && look.files().keySet().equals(last.files().keySet())
        && look.files().entrySet().stream()
            .filter(file -> !file.getValue().equals(last.files().get(file.getKey())))
            .allMatch(file -> isReplaced(file.getKey(), now));
  }

  private boolean isReplaced(String name, Map<String, Map<String, Object>> now) {
    return !Objects.equals(
        attributes.getOrDefault(name, Map.of()).get(INODE),
        now.getOrDefault(name, Map.of()).get(INODE));
  }

  /** The attributes of each policy file by name, and those of the folder itself. */
  private Map<String, Map<String, Object>> attributes() throws IOException {
    Map<String, Map<String, Object>> found = new TreeMap<>();
    found.put(FOLDER, Files.readAttributes(folder, "unix:ino,dev"));
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (isPolicyFile(file)) {
          found.put(name, Files.readAttributes(file, "unix:ino,dev,size,ctime,lastModifiedTime"));
        }
      }
    }
    return found;
  }

  /** Whether a folder's entry is a file of policies, by its name and kind. */
  public static boolean isPolicyFile(Path file) {
    String name = String.valueOf(file.getFileName());
    return (name.endsWith(".yaml") || name.endsWith(".yml")) && Files.isRegularFile(file);
  }

  private Map<String, Content> read(Set<String> names) {
    Map<String, Content> contents = new TreeMap<>();
    for (String name : names) {
      if (!name.equals(FOLDER)) {
        contents.put(name, read(folder.resolve(name)));
      }
    }
    return contents;
  }

  /** A file's text, or why it is not taken. */
  public static Content read(Path file) {
    try {
      return Files.size(file) > MAX_FILE_BYTES
          ? Content.unreadable("larger than " + MAX_FILE_BYTES + " bytes")
          : Content.of(Files.readString(file));
    } catch (IOException e) {
      return Content.unreadable("can't be read: " + Reason.of(e));
    }
  }
}
