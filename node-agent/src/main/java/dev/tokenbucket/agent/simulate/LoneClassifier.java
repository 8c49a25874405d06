// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.simulate;

import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelPrograms.ProgramAndMaps;
import dev.tokenbucket.agent.kernel.PacketRunner;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The classifier in the kernel, on no interface, with maps that are all its own. For one thread
 * only; the thread is kept on its CPU, so that the same packets get the same verdicts each time.
 */
public final class LoneClassifier implements AutoCloseable {
  private static final String PROGRAM = "tokenbucket";
  private static final int TC_ACT_SHOT = 2;

  private final Kernel kernel;
  private final ProgramAndMaps loaded;
  private final SimulatedTables tables;

  /**
   * Loads the program.
   *
   * @param object the bytes of an object file
   * @param maps names of the maps that {@link #map} gives
   */
  public LoneClassifier(
      Kernel kernel, byte[] object, HookConfiguration configuration, List<String> maps) {
    this.kernel = kernel;
    kernel.stayOnThisCpu();
    loaded =
        kernel.loadAlone(
            object,
            PROGRAM,
            Map.of(HookConfiguration.SECTION, configuration.encode()),
            configuration.maps(),
            maps);
    tables = new SimulatedTables(kernel, loaded.maps());
  }

  /** The descriptor of a map. */
  public int map(String name) {
    return Objects.requireNonNull(loaded.maps().get(name), name);
  }

  public SimulatedTables tables() {
    return tables;
  }

  public PacketRunner runner() {
    return kernel.packetRunner(loaded.program());
  }

  /** Whether a result of the program drops the packet. */
  public static boolean drops(int result) {
    return result == TC_ACT_SHOT;
  }

  @Override
  public void close() {
    tables.close();
    kernel.close(loaded.program());
    loaded.maps().values().forEach(kernel::close);
  }
}
