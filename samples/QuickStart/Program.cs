var builder = WebApplication.CreateBuilder(args);
builder.AddResilienceLayers();

var app = builder.Build();
app.UseResilienceLayers();

app.MapGet("/hello/{name}", (string name) => $"Hello, {name}!");
app.MapGet("/broken", string () => throw new InvalidOperationException("No caller ever reads this."));
app.MapGet("/weather", string () => throw new HttpRequestException("The weather service is down."))
    .WithFallback(context => Results.Text("Take an umbrella.").ExecuteAsync(context));
app.MapPost("/checkout", () => Results.Accepted()).WithCircuitBreaker("checkout").WithBulkhead("checkout");
app.MapResilienceDashboard("/resilience");

app.Run();
