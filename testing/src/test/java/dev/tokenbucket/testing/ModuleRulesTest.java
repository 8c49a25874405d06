package dev.tokenbucket.testing;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

class ModuleRulesTest {
  private static final JavaClasses OURS =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("dev.tokenbucket");

  @Test
  void theApiDependsOnNoOtherModule() {
    noClasses()
        .that()
        .resideInAPackage("dev.tokenbucket.api..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.tokenbucket.agent..", "dev.tokenbucket.operator..", "dev.tokenbucket.testing..")
        .check(OURS);
  }

  @Test
  void operatorAndAgentDoNotKnowEachOtherNorTheTests() {
    noClasses()
        .that()
        .resideInAPackage("dev.tokenbucket.operator..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.tokenbucket.agent..", "dev.tokenbucket.testing..")
        .check(OURS);
    noClasses()
        .that()
        .resideInAPackage("dev.tokenbucket.agent..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.tokenbucket.operator..", "dev.tokenbucket.testing..")
        .check(OURS);
  }

  @Test
  void nativeCallsStayBehindTheKernelPort() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "dev.tokenbucket.agent.kernel..", "dev.tokenbucket.testing.kernel..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jnr..")
        .check(OURS);
  }

  @Test
  void theBorderToCIsWrittenInPlainJava() {
    classes()
        .that()
        .resideInAPackage("dev.tokenbucket.agent.layout..")
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("dev.tokenbucket.agent.layout..", "java..", "org.jspecify..")
        .check(OURS);
  }

  @Test
  void planningAndStatusKnowNoClientAndNoFramework() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.tokenbucket.operator.plan..", "dev.tokenbucket.operator.status..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.fabric8.kubernetes.client.dsl..",
            "io.fabric8.kubernetes.client.informers..",
            "io.javaoperatorsdk..",
            "io.quarkus..",
            "jakarta..")
        .check(OURS);
  }
}
