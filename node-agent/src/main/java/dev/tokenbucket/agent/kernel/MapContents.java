// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * What a map that belongs to one program must hold before the program is attached.
 *
 * @param map the map's name in the object
 * @param entries the map's size; at least the number of elements, and at least 1
 * @param valueSize bytes of a value
 */
public record MapContents(String map, int entries, int valueSize, List<Element> elements) {
  public MapContents {
    elements = List.copyOf(elements);
  }

  /** A key and its value, in the host's byte order unless the map says otherwise. */
  public record Element(ByteBuffer key, ByteBuffer value) {}
}
