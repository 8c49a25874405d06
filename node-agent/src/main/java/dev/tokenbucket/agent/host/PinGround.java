// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import dev.tokenbucket.agent.kernel.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The BPF file system that holds the agent's pins, and the lock on it. The lock also keeps a file
 * system alive that somebody unmounts: its pinned objects stay in force until a new file system
 * holds their replacements.
 */
public final class PinGround implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PinGround.class);

  private final Kernel kernel;
  private final Path folder;
  private final List<AgentLock> former = new ArrayList<>();
  private AgentLock lock;
  private Object device;

  /**
   * Mounts a BPF file system if there is none, and locks it.
   *
   * @throws IOException if it cannot be mounted, or does not belong to this agent alone
   * @throws CommandFailure if another agent holds the lock
   */
  public PinGround(Kernel kernel, Path folder) throws IOException {
    this.kernel = kernel;
    this.folder = folder;
    BpfFileSystem.ensure(kernel, folder);
    checkOwner();
    lock = AgentLock.ofPins(kernel, folder);
    device = deviceOf(folder);
  }

  private static Object deviceOf(Path folder) throws IOException {
    return Files.getAttribute(folder, "unix:dev");
  }

  /**
   * Makes sure that the file system is still there.
   *
   * @throws IOException as the constructor does; everything in force stays in force
   */
  public void ensure() throws IOException {
    BpfFileSystem.ensure(kernel, folder);
    checkOwner();
    if (deviceOf(folder).equals(device)) {
      return;
    }
    AgentLock next = AgentLock.ofPins(kernel, folder);
    LOG.warn(
        "--bpffs {} is another file system than before: the agent programs everything"
            + " again there, and buckets start full; pins on the former file system stay in"
            + " force until then",
        folder);
    former.add(lock);
    lock = next;
    device = deviceOf(folder);
  }

  /**
   * Releases file systems that were unmounted, since everything is now in force from the current
   * one.
   */
  public void settled() throws IOException {
    for (AgentLock each : former) {
      each.close();
    }
    former.clear();
  }

  /**
   * On a file system that everybody may write to, another user may have created the agent's folder
   * first.
   */
  private void checkOwner() throws IOException {
    Path ours = folder.resolve("tokenbucket");
    if (!Files.exists(ours, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Object owner = Files.getAttribute(ours, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    Object own = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    if (!owner.equals(own) || !Files.isDirectory(ours, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(
          ("%s belongs to uid %s and not to this agent (uid %s), so its maps can't be"
                  + " trusted: remove the folder, and mount the file system with mode=0700")
              .formatted(ours, owner, own));
    }
  }

  @Override
  public void close() throws IOException {
    settled();
    lock.close();
  }
}
