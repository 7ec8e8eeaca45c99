using System.Globalization;
using System.Text.RegularExpressions;
using ResilientHost.Health;
using ResilientHost.Tests.Conventions;
using YamlDotNet.RepresentationModel;

namespace ResilientHost.Tests.Docker;

/// <summary>What no engine has run here can at least not contradict itself: names, files, ports, times.</summary>
public sealed partial class ComposeTests
{
    private const string Folder = "docker";

    private static YamlMappingNode Compose { get; } = YamlFile.Read($"{Folder}/compose.yaml");

    private static Dictionary<string, YamlNode> Services { get; } = Compose.At("services").Entries().ToDictionary();

    private static string[] Shops { get; } = ["storefront-a", "storefront-b"];

    [Fact]
    public void Services_AreThoseThatTheReadmeNames() => Services.Keys.ShouldBe(
        ["storefront-a", "storefront-b", "nginx", "postgres", "otel-collector", "prometheus", "jaeger", "grafana"], ignoreOrder: true);

    [Fact]
    public void Images_EachNamesAVersion()
    {
        foreach (var (name, service) in Services)
        {
            service.At("image").Text().ShouldNotBeNull(name).ShouldMatch(@"^[a-z0-9./-]+:(local|v?\d+[\w.-]*)$", name);
        }
    }

    [Fact]
    public void Mounts_EveryFile_Exists()
    {
        var volumes = Compose.At("volumes").Entries().Select(static volume => volume.Key).ToList();
        foreach (var (name, service) in Services)
        {
            foreach (var source in service.At("volumes").Items().Select(static volume => volume.Text()!.Split(':')[0]))
            {
                (source.StartsWith('.') ? Path.Exists(Path.Combine(Repository.Root, Folder, source)) : volumes.Contains(source)).ShouldBeTrue($"{name} mounts {source}");
            }
        }
    }

    [Fact]
    public void Ports_OnlyTheShopIsForEverybody()
    {
        var published = Services.SelectMany(static service => service.Value.At("ports").Items().Select(static port => port.Text()!)).ToList();

        published.Select(static port => port.Split(':')[^2]).ShouldBeUnique();
        published.Where(static port => !port.StartsWith("127.0.0.1:", StringComparison.Ordinal)).ShouldBe(["8000:8000"]);
    }

    [Fact]
    public void Networks_AndDependencies_Exist()
    {
        var networks = Compose.At("networks").Entries().Select(static network => network.Key).ToList();
        foreach (var (name, service) in Services)
        {
            service.At("networks").Items().Select(static network => network.Text()!).ShouldBeSubsetOf(networks, name);
            Dependencies(service).ShouldBeSubsetOf(Services.Keys, name);
        }
    }

    [Fact]
    public void Dependencies_WhoIsAwaitedHealthy_HasAHealthCheck()
    {
        foreach (var (_, service) in Services)
        {
            foreach (var (dependency, how) in service.At("depends_on").Entries().Where(static entry => entry.Value.At("condition").Text() == "service_healthy"))
            {
                // The shop's is in its image.
                (Services[dependency].At("healthcheck") is not null || Shops.Contains(dependency)).ShouldBeTrue(dependency);
            }
        }
    }

    [Fact]
    public void Shops_RunWithoutRightsOnAReadOnlyFileSystem()
    {
        foreach (var shop in Shops.Select(static name => Services[name]))
        {
            shop.At("read_only").Text().ShouldBe("true");
            shop.At("cap_drop").Items().Select(static capability => capability.Text()).ShouldBe(["ALL"]);
            shop.At("security_opt").Items().Select(static option => option.Text()).ShouldBe(["no-new-privileges:true"]);
            shop.At("volumes").ShouldBeNull();
            shop.At("ports").ShouldBeNull();
        }
    }

    [Fact]
    public void Shops_AreGivenTheTimeThatTheirDrainTakes()
    {
        foreach (var shop in Shops.Select(static name => Services[name]))
        {
            var environment = shop.At("environment").ShouldNotBeNull();
            var grace = TimeSpan.FromSeconds(int.Parse(shop.At("stop_grace_period").Text()!.TrimEnd('s'), CultureInfo.InvariantCulture));
            grace.ShouldBeGreaterThanOrEqualTo(
                Drain.Of(environment.At("Resilience__Shutdown__ReadinessDelay").Text(), environment.At("shutdownTimeoutSeconds").Text()));
        }
    }

    [Fact]
    public void Shops_HaveOperators() =>
        Shops.ShouldAllBe(static name => Services[name].At("environment", "Operators__oncall__Password") != null);

    [Fact]
    public void Passwords_HaveNoDefault() => Repository.Read($"{Folder}/compose.yaml").ShouldNotMatch(@"PASSWORD:-");

    [Fact]
    public void Shops_HealthCheckWaitsForChecksThatHang() =>
        TimeSpan.FromSeconds(int.Parse(Repository.Read($"{Folder}/Dockerfile").ShouldMatchGroup(@"HEALTHCHECK .*--timeout=(\d+)s"), CultureInfo.InvariantCulture))
            .ShouldBeGreaterThan(ReadinessEndpoint.Limit);

    [Fact]
    public void Shops_ListenWhereNginxSendsTo_AndAskThemselvesWhereTheyListen()
    {
        var dockerfile = Repository.Read($"{Folder}/Dockerfile");
        var port = dockerfile.ShouldMatchGroup(@"Urls=http://\+:(\d+)");

        var upstreams = NginxUpstream().Matches(Repository.Read($"{Folder}/nginx/nginx.conf")).Select(static match => match.Value).Distinct();
        upstreams.ShouldBe(Shops.Select(shop => $"{shop}:{port}"), ignoreOrder: true);
        dockerfile.ShouldMatchGroup(@"HEALTHCHECK(?:.*\\\n)*.*""(http[^""]+)""").ShouldBe($"http://127.0.0.1:{port}/health/ready");
    }

    [Fact]
    public void Nginx_ListensWhereItIsPublished()
    {
        var listens = Listen().Matches(Repository.Read($"{Folder}/nginx/nginx.conf")).Select(static match => match.Groups[1].Value);

        Services["nginx"].At("ports").Items().Select(static port => port.Text()!.Split(':')[^1]).ShouldBe(listens, ignoreOrder: true);
    }

    [Fact]
    public void Telemetry_GoesFromTheShopThroughTheCollectorToPrometheusAndJaeger()
    {
        var collector = YamlFile.Read($"{Folder}/otel-collector/config.yaml");
        var sent = new Uri(Services[Shops[0]].At("environment", "OTEL_EXPORTER_OTLP_ENDPOINT").Text()!);
        Services.Keys.ShouldContain(sent.Host);
        collector.At("receivers", "otlp", "protocols", "grpc", "endpoint").Text().ShouldBe($"0.0.0.0:{sent.Port}");

        new Uri(collector.At("exporters", "prometheusremotewrite", "endpoint").Text()!).Host.ShouldBe("prometheus");
        Services["prometheus"].At("command").Items().Select(static argument => argument.Text()).ShouldContain("--web.enable-remote-write-receiver");
        foreach (var (kind, pipeline) in collector.At("service", "pipelines").Entries())
        {
            foreach (var part in new[] { "receivers", "processors", "exporters" })
            {
                var defined = collector.At(part).Entries().Select(static entry => entry.Key).ToList();
                pipeline.At(part).Items().Select(static item => item.Text()!).ShouldBeSubsetOf(defined, kind);
            }
        }
    }

    [Fact]
    public void Prometheus_ScrapesWhoeverIsThere()
    {
        var targets = YamlFile.Read($"{Folder}/prometheus/prometheus.yml").At("scrape_configs").Items()
            .SelectMany(static job => job.At("static_configs").Items()).SelectMany(static group => group.At("targets").Items())
            .Select(static target => target.Text()!.Split(':')[0]);

        targets.ShouldBeSubsetOf([.. Services.Keys, "localhost"]);
    }

    [Fact]
    public void Dockerfile_BuildsFromWhatTheContextHas()
    {
        var copied = Copy().Matches(Repository.Read($"{Folder}/Dockerfile")).SelectMany(static match => match.Groups[1].Value.Split(' ')[..^1]).ToList();
        var allowed = Repository.Read(".dockerignore").Split('\n').Where(static line => line.StartsWith('!')).Select(static line => line[1..]).ToList();

        copied.ShouldNotBeEmpty();
        foreach (var source in copied)
        {
            Path.Exists(Path.Combine(Repository.Root, source)).ShouldBeTrue(source);
            allowed.ShouldContain(entry => $"{source.TrimEnd('/')}/".StartsWith($"{entry}/", StringComparison.Ordinal), source);
        }
    }

    [Fact]
    public void Dockerfile_CopiesEveryProjectThatTheShopIsMadeOf()
    {
        var dockerfile = Repository.Read($"{Folder}/Dockerfile");
        foreach (var project in ProjectReference().Matches(Repository.Read("samples/Storefront/Storefront.csproj")).Select(static match => match.Groups[1].Value))
        {
            dockerfile.ShouldContain($"COPY {project}");
        }
    }

    [Fact]
    public void Dockerfile_RunsAsSomebodyWithoutRights_OnTheRuntimeThatItIsBuiltFor()
    {
        var dockerfile = Repository.Read($"{Folder}/Dockerfile");
        var framework = Repository.Read("Directory.Build.props").ShouldMatchGroup(@"<TargetFramework>net([\d.]+)<");

        dockerfile.ShouldMatchGroup(@"RUNTIME_IMAGE=.*aspnet:([\d.]+)-noble-chiseled").ShouldBe(framework);
        dockerfile.ShouldMatchGroup(@"SDK_IMAGE=.*sdk:([\d.]+)").ShouldBe(framework);
        dockerfile.ShouldMatchGroup(@"\nUSER (\d+):").ShouldBe("1654");
    }

    private static IEnumerable<string> Dependencies(YamlNode service) =>
        service.At("depends_on").Items().Select(static name => name.Text()!).Concat(service.At("depends_on").Entries().Select(static entry => entry.Key));

    [GeneratedRegex(@"storefront-\w+:\d+")]
    private static partial Regex NginxUpstream();

    [GeneratedRegex(@"listen (\d+)")]
    private static partial Regex Listen();

    [GeneratedRegex(@"^COPY (?!--from)(.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex(@"ProjectReference Include=""\.\./\.\./(src/[^""]+)/[^/""]+""")]
    private static partial Regex ProjectReference();
}
