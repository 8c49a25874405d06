// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TermTextTest {
  private static final Map<String, String> ONE_OF_EACH =
      Map.ofEntries(
          Map.entry("protocol", "17"),
          Map.entry("sourceCIDRs", "['10.0.0.0/8']"),
          Map.entry("destinationCIDRs", "['10.0.0.0/8']"),
          Map.entry("sourceAddressSets", "[{'name': 'feed', 'contentHash': 'c0', 'cidrs': 2}]"),
          Map.entry(
              "destinationAddressSets", "[{'name': 'feed', 'contentHash': 'c0', 'cidrs': 2}]"),
          Map.entry("sourcePorts", "[{'from': 5, 'to': 7}]"),
          Map.entry("destinationPorts", "[{'from': 443, 'to': 443}]"),
          Map.entry("newConnectionsOnly", "true"),
          Map.entry("notSourceCIDRs", "['10.0.0.0/8']"),
          Map.entry("notDestinationCIDRs", "['10.0.0.0/8']"),
          Map.entry("tcpFlags", "{'set': ['SYN'], 'unset': ['ACK', 'RST']}"),
          Map.entry("icmp", "{'type': 3, 'code': 4}"),
          Map.entry("dscps", "[0, 46]"),
          Map.entry("packetLengths", "[{'from': 40, 'to': 100}]"),
          Map.entry("fragment", "'Later'"));

  private static String text(String json) throws JsonProcessingException {
    return TermText.of(new ObjectMapper().readValue(json.replace('\'', '"'), NodeMatchTerm.class));
  }

  private static String only(String field) throws JsonProcessingException {
    return text("{'%s': %s}".formatted(field, ONE_OF_EACH.get(field)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          protocol | protocol UDP
          sourcePorts | source port 5-7
          notSourceCIDRs | source not 10.0.0.0/8
          sourceAddressSets | source in address set feed
          tcpFlags | TCP flags set SYN; TCP flags not set ACK, RST
          icmp | ICMP type 3 code 4
          dscps | DSCP 0, 46
          packetLengths | packet length 40-100
          fragment | fragment Later
          """)
  void aConditionReadsAsAPersonWritesIt(String field, String text) throws Exception {
    assertThat(only(field)).isEqualTo(text);
  }

  /** A field that is added later and forgotten here fails this test. */
  @Test
  void noConditionIsLeftOut() throws Exception {
    for (RecordComponent field : NodeMatchTerm.class.getRecordComponents()) {
      assertThat(ONE_OF_EACH).containsKey(field.getName());
      assertThat(only(field.getName())).as(field.getName()).isNotEqualTo("anything");
    }
    assertThat(Arrays.stream(NodeMatchTerm.class.getRecordComponents()).count())
        .isEqualTo(ONE_OF_EACH.size());
    assertThat(text("{}")).isEqualTo("anything");
  }
}
