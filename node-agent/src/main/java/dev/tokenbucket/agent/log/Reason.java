// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.log;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Why something failed, in words for a log line, a status or a terminal. Pure. */
public final class Reason {
  /** Bounds the chain of causes, which may be a circle. */
  private static final int MOST_CAUSES = 10;

  private Reason() {}

  /**
   * The messages of an exception and of what caused it, the outermost first and each said once.
   * What the class alone tells is put into words: the JDK's exceptions of files have the bare path
   * for a message. An exception that nobody meant to throw is named by its class, for that is where
   * a report of a fault begins.
   */
  public static String of(Throwable thrown) {
    List<String> said = new ArrayList<>();
    Throwable each = thrown;
    for (int i = 0; each != null && i < MOST_CAUSES; i++) {
      String text = text(each);
      if (!text.isEmpty() && said.stream().noneMatch(before -> before.contains(text))) {
        said.add(text);
      }
      each = each.getCause();
    }
    return String.join(": ", said);
  }

  /** Empty where the exception does no more than wrap its cause. */
  private static String text(Throwable thrown) {
    String message = thrown.getMessage();
    if (thrown.getCause() != null
        && (message == null || message.equals(thrown.getCause().toString()))) {
      return "";
    }
    if (thrown instanceof FileSystemException failed) {
      return of(failed);
    }
    if (message == null || !isMeant(thrown)) {
      String name = thrown.getClass().getSimpleName();
      return message == null ? name : name + ": " + message;
    }
    return message;
  }

  private static String of(FileSystemException failed) {
    String what = what(failed);
    return what == null ? String.valueOf(failed.getMessage()) : failed.getFile() + ": " + what;
  }

  private static @Nullable String what(FileSystemException failed) {
    if (failed.getReason() != null) {
      return null;
    }
    if (failed instanceof NoSuchFileException) {
      return "no such file or folder";
    }
    if (failed instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (failed instanceof NotDirectoryException) {
      return "not a folder";
    }
    if (failed instanceof FileAlreadyExistsException) {
      return "is there already";
    }
    if (failed instanceof DirectoryNotEmptyException) {
      return "not empty";
    }
    return failed.getClass().getSimpleName();
  }

  /** Whether the message was written for the person who meets it. */
  private static boolean isMeant(Throwable thrown) {
    return thrown.getClass().getName().startsWith("dev.tokenbucket.")
        || thrown instanceof UncheckedIOException
        || thrown instanceof IllegalStateException
        || thrown instanceof IllegalArgumentException
        || thrown instanceof FileNotFoundException
        || thrown.getClass().equals(IOException.class);
  }
}
