using Storefront.Catalogue;
using Storefront.Checkout;
using Storefront.Database;
using Storefront.Faults;
using Storefront.Lifetime;
using Storefront.Operations;
using Storefront.Orders;
using Storefront.Pricing;
using Storefront.Profiles;
using Storefront.Recommendations;
using Storefront.Upstreams;

if (HealthCheck.IsAskedFor(args))
{
    Environment.ExitCode = await HealthCheck.RunAsync(args);
    return;
}

var builder = WebApplication.CreateBuilder(args);

builder.AddResilienceLayers();
builder.AddOperations();

builder.Services.AddControllers();
builder.Services.AddSignIn();
builder.Services.AddSingleton<StoreDatabase>();
builder.Services.AddFaultSwitches();
builder.Services.AddUpstreams()
    .AddUpstreamClient<CatalogueClient>(ServiceNames.Catalogue)
    .AddUpstreamClient<SearchClient>(ServiceNames.Search)
    .AddUpstreamClient<PricingClient>(ServiceNames.Pricing)
    .AddUpstreamClient<RecommendationClient>(ServiceNames.Recommendations)
    .AddUpstreamClient<PaymentClient>(ServiceNames.Checkout)
    .AddUpstreamClient<ProfileClient>(ServiceNames.Profile);

// Prices are asked for six times with every look at the shop: what fails once is asked for again, within the time that the endpoint has.
builder.Services.AddHttpClient<PricingClient>().AddResilienceLayers("pricing");
builder.AddOrders();
builder.AddExitWithParent();

var app = builder.Build();

app.UseDefaultFiles();
app.UseStaticFiles();

// Inside of authentication and authorization, which WebApplication puts first: no fallback answers who may not ask.
app.UseResilienceLayers();

app.MapCatalogue();
app.MapPricing();
app.MapRecommendations();
app.MapCheckout();
app.MapSignIn();
app.MapOrders();
app.MapControllers().WithFaultPoint(ServiceNames.Profile);
app.MapFaultSwitches();

app.MapOperations();

app.Run();
