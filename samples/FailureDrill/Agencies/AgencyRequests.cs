using FailureDrill.Load;

namespace FailureDrill.Agencies;

/// <summary>What customers ask the agency for.</summary>
internal static class AgencyRequests
{
    public static readonly Request Fares = new(HttpMethod.Get, "/fares");
    public static readonly Request Rooms = new(HttpMethod.Get, "/rooms");
    public static readonly Request Cars = new(HttpMethod.Get, "/cars");
    public static readonly Request Maps = new(HttpMethod.Get, "/maps");
    public static readonly Request Visas = new(HttpMethod.Get, "/visas");
    public static readonly Request Offers = new(HttpMethod.Get, "/offers");
    public static readonly Request Bookings = new(HttpMethod.Get, "/bookings");

    /// <summary>Rents a car, which is done as often as it is asked for.</summary>
    public static Request RentCar(string renter) => new(HttpMethod.Post, "/cars", $$"""{"renter":"{{renter}}"}""");

    public static Request Weather(string city) => new(HttpMethod.Get, $"/weather/{city}");
}
