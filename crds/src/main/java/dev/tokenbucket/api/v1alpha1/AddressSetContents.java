// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * The networks of an address set in canonical form, so that equal sets have equal hashes, in
 * operator and agent alike. Immutable.
 *
 * @param cidrs sorted and distinct
 * @param hash identifies these networks
 */
public record AddressSetContents(List<String> cidrs, String hash) {
  private static final int HASH_BYTES = 16;

  /** Makes the list immutable. */
  public AddressSetContents {
    cidrs = List.copyOf(cidrs);
  }

  /**
   * The contents of a set.
   *
   * @throws IllegalArgumentException for a text that is no network, which the CRD's rules refuse
   */
  public static AddressSetContents of(List<String> texts) {
    List<String> cidrs =
        texts.stream().map(AddressSetContents::canonical).distinct().sorted().toList();
    return new AddressSetContents(cidrs, digest(cidrs));
  }

  private static String canonical(String text) {
    return Cidr.parse(text)
        .map(cidr -> cidr.masked().toString())
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "spec.cidrs: Invalid value: \"" + text + "\": " + MatchRules.CIDR_MESSAGE));
  }

  /** The first digits of the SHA-256 digest of these lines. */
  static String digest(List<String> lines) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(String.join("\n", lines).getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, HASH_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  /** How a node's terms refer to these contents. */
  public AddressSetRef named(String name) {
    return new AddressSetRef(name, hash, cidrs.size());
  }
}
