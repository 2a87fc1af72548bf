"""The projects and tasks of the demo organizations, as data.

Times are in days relative to the day of seeding, so charts and due dates are always current.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from saas_app.projects.seed import SeedProject, SeedTask, TaskStatus


def done(title: str, days_ago: float) -> SeedTask:
    """Return a finished task."""
    return SeedTask(title, TaskStatus.DONE, completed_days_ago=days_ago)


def doing(title: str, due: int | None = None) -> SeedTask:
    """Return a task in progress. ``due`` is in days from now; if it is negative, the task is overdue."""
    return SeedTask(title, TaskStatus.DOING, due_in_days=due)


def todo(title: str, due: int | None = None) -> SeedTask:
    """Return a task that has not started. ``due`` is in days from now."""
    return SeedTask(title, TaskStatus.TODO, due_in_days=due)


def project(name: str, description: str, began: int, *tasks: SeedTask, archived: bool = False) -> SeedProject:
    """Return a project that began ``began`` days ago and changed when its last task was finished."""
    finished = [task.completed_days_ago for task in tasks if task.status is TaskStatus.DONE]
    return SeedProject(
        name,
        description,
        archived=archived,
        created_days_ago=began,
        updated_days_ago=min(finished, default=began / 10),
        tasks=tasks,
    )


ACME: Final = (
    project(
        "Gripper firmware 3.2",
        "Softer closing for fragile parts, and a watchdog that fails open.",
        46,
        done("Measure closing force on the test bench", 12),
        done("Ramp the motor current instead of stepping it", 8),
        done("Watchdog opens the jaws on lost heartbeat", 3),
        doing("Soak test on forty units", 4),
        todo("Write the release note for integrators", 9),
    ),
    project(
        "Arm R7 launch",
        "Everything between the last prototype and the first delivery.",
        63,
        done("Freeze the bill of materials", 11),
        done("Photograph the arm in the welding cell", 6),
        doing("Translate the safety manual", 7),
        doing("Price list for resellers", 2),
        todo("Launch webinar", 18),
        todo("Ship the first three to the pilot customers", 24),
    ),
    project(
        "CE marking for the R7",
        "Machinery directive, EMC and the technical file.",
        58,
        done("Risk assessment workshop", 13),
        done("EMC pre-scan", 5),
        doing("Assemble the technical file", 11),
        todo("Declaration of conformity", 20),
    ),
    project(
        "Welding cell at Norrby Steel",
        "Two arms, one turntable, installed without stopping the line.",
        34,
        done("Site survey", 10),
        done("Order the turntable", 9),
        doing("Offline programming of the first part family", 3),
        todo("Install over the long weekend", 13),
        todo("Train two operators", 15),
    ),
    project(
        "Vision calibration tool",
        "A wizard that calibrates a camera in five minutes instead of an hour.",
        29,
        done("Interview four field engineers", 7),
        done("Detect the board in bad light", 1),
        doing("Guide the operator through twelve poses", 6),
        todo("Export the result to the controller", 12),
    ),
    project(
        "Spare parts portal",
        "Customers find and order parts by serial number.",
        71,
        done("Clean up the part numbers of 2019", 13),
        doing("Exploded drawings for the R5", -2),
        doing("Connect to the price list", 5),
        todo("Invite five customers to try it", 16),
    ),
    project(
        "Field service app",
        "Checklists and measurements that work without a network.",
        52,
        done("Store checklists on the device", 9),
        done("Merge what two technicians entered", 4),
        doing("Photos in the service report", 8),
        todo("Roll out to the southern region", 21),
    ),
    project(
        "Energy use per cycle",
        "Find the motions that waste power and offer a better path.",
        22,
        done("Log power at 1 kHz during a cycle", 2),
        doing("Compare three path planners", 10),
        todo("White paper with Norrby Steel", 28),
    ),
    project(
        "Supplier second source: harmonic drives",
        "A second supplier for the one part that stopped us last year.",
        80,
        done("Sample drives from two suppliers", 12),
        doing("Endurance run, 2,000 hours", 30),
        todo("Audit the supplier in Brno", 14),
    ),
    project(
        "Apprentice program",
        "Four apprentices, one workshop, a robot of their own by spring.",
        40,
        done("Choose the mentors", 8),
        done("Order the training kits", 0),
        todo("Plan the first safety day", 6),
    ),
    project(
        "Trade fair stand",
        "Twelve square meters, one arm that plays dominoes.",
        18,
        doing("Program the domino run", -1),
        todo("Book the freight", 3),
        todo("Print the leaflets", 5),
        todo("Roster for the three days", 8),
    ),
    project(
        "Controller board revision C",
        "The revision that is in production now.",
        210,
        done("Fix the ground loop", 96),
        done("Qualify the new regulator", 91),
        done("Hand over to manufacturing", 84),
        archived=True,
    ),
)

GLOBEX: Final = (
    project(
        "Night lane Rotterdam – Lyon",
        "One truck each way every night, full in both directions.",
        33,
        done("Find return freight in Lyon", 9),
        done("Agree slots at the terminal", 5),
        doing("Trial week with two drivers", 2),
        todo("Decide whether it stays", 12),
    ),
    project(
        "Warehouse 4: new racking",
        "Twelve hundred more pallet places without a new hall.",
        61,
        done("Floor load survey", 13),
        done("Fire safety concept", 7),
        doing("Clear aisles 12 to 18", 3),
        todo("Assembly of the first block", 15),
        todo("Acceptance by the inspector", 26),
    ),
    project(
        "Scanner replacement",
        "Four hundred hand scanners reach the end of support.",
        44,
        done("Test three models with gloves on", 11),
        done("Choose the model", 6),
        doing("Roll out to warehouse 1", 1),
        todo("Return the old devices", 19),
    ),
    project(
        "Customs paperwork without paper",
        "Declarations from order data, checked by a person, sent by a program.",
        75,
        done("Map our goods codes", 12),
        done("Certificate for the customs gateway", 10),
        doing("First hundred declarations side by side", 4),
        todo("Switch off the fax line", 25),
    ),
    project(
        "Carrier scorecard",
        "Punctuality, damages and invoices of every carrier on one page.",
        27,
        done("Collect two years of delivery times", 4),
        doing("Weigh the damages", 8),
        todo("Show it to the three largest carriers", 17),
    ),
    project(
        "Cold chain monitoring",
        "Temperature in every trailer, an alarm before the goods are lost.",
        38,
        done("Sensors in ten trailers", 8),
        done("Alarm by text message", 2),
        doing("Calibrate against the reference logger", 6),
        todo("Equip the other forty trailers", 30),
    ),
    project(
        "Winter readiness",
        "Tyres, salt, spare drivers and the plan for the pass.",
        16,
        done("Order salt", 3),
        doing("Tyre change for the northern fleet", -3),
        todo("Emergency plan for the pass", 4),
    ),
    project(
        "Yard management",
        "Every trailer in the yard has a place that somebody knows.",
        49,
        done("Number the parking places", 10),
        doing("Gate app for arrivals", 9),
        todo("Displays at the gate", 22),
    ),
    project(
        "Driver handbook",
        "One handbook in six languages instead of six handbooks.",
        55,
        done("Collect what depots hand out today", 13),
        done("First draft in plain words", 1),
        doing("Review by the works council", 7),
        todo("Translate", 21),
    ),
    project(
        "Pallet accounts",
        "Who owes whom how many pallets, agreed every month.",
        30,
        done("Reconcile the ten largest accounts", 6),
        doing("Monthly statement by email", 5),
        todo("Photograph damaged pallets at the gate", 13),
    ),
    project(
        "Solar roof, warehouse 2",
        "Power for the chargers of the electric forklifts.",
        20,
        done("Structural report", 0),
        doing("Compare the offers", 10),
        todo("Apply for the grid connection", 14),
    ),
    project(
        "Move to the new telephone system",
        "All depots are on it.",
        190,
        done("Port the numbers", 80),
        done("Train the dispatchers", 77),
        done("Cancel the old lines", 70),
        archived=True,
    ),
)

INITECH: Final = (
    project(
        "Year-end payroll",
        "Tax tables, certificates and the one run that must not fail.",
        42,
        done("Load the new tax tables", 7),
        done("Parallel run with last year's data", 2),
        doing("Certificates for leavers", 9),
        todo("Freeze changes", 16),
        todo("The run", 40),
    ),
    project(
        "Report cover sheets",
        "Every report gets the right cover sheet by itself.",
        25,
        done("Collect the seven cover sheets in use", 5),
        doing("Choose by report type", 3),
        todo("Remove the reminder memo", 6),
    ),
    project(
        "Time sheets on the phone",
        "Hours are entered where they are worked.",
        57,
        done("Offline entry", 12),
        done("Approve with one tap", 8),
        doing("Half days and standby", 5),
        todo("Pilot with two customers", 14),
    ),
    project(
        "Move reporting to the warehouse",
        "Reports read from the data warehouse, not from production.",
        66,
        done("List every query against production", 13),
        done("Nightly load", 9),
        done("Compare the ten largest reports", 4),
        doing("Move the long tail", 12),
        todo("Revoke the old read account", 27),
    ),
    project(
        "Audit findings 2nd quarter",
        "Nine findings, each with an owner and a date.",
        31,
        done("Four-eyes release of payments", 10),
        done("Remove shared accounts", 6),
        doing("Log access to salaries", 1),
        todo("Answer to the auditor", 8),
    ),
    project(
        "Pension interface",
        "Contributions to six funds in the new format.",
        48,
        done("Read the new format", 11),
        doing("Mapping for the two small funds", 4),
        todo("Test file accepted by all six", 18),
    ),
    project(
        "Rounding errors",
        "Where fractions of a cent go, and who gets them.",
        19,
        done("Reproduce the case of customer 1184", 3),
        doing("Round once, at the end", -2),
        todo("Tell the four customers concerned", 5),
    ),
    project(
        "Customer onboarding in a week",
        "From signature to first payroll in five working days.",
        36,
        done("Measure where the time goes today", 8),
        done("Import from the three usual systems", 1),
        doing("Checklist the customer sees", 10),
        todo("Try it with the next customer", 20),
    ),
    project(
        "Printer replacement",
        "The one on the second floor says there is no paper. There is paper.",
        14,
        done("Remove the old printer", 0),
        todo("Connect the new one", 2),
    ),
    project(
        "Accessible payslips",
        "Payslips that a screen reader can read.",
        39,
        done("Test with two people who need it", 6),
        doing("Tagged tables", 7),
        todo("Plain-language explanations", 15),
    ),
    project(
        "Data retention",
        "Delete what must not be kept, keep what must not be deleted.",
        28,
        done("Table of periods by country", 5),
        doing("Deletion run in the test system", 11),
        todo("Sign-off by the data protection officer", 23),
    ),
    project(
        "Four-digit year migration",
        "Done, finally.",
        220,
        done("Find the last two-digit field", 99),
        done("Widen it", 95),
        archived=True,
    ),
)

PROJECTS: Final[Mapping[str, tuple[SeedProject, ...]]] = {
    "acme": ACME,
    "globex": GLOBEX,
    "initech": INITECH,
}
"""By the organization's key in :mod:`saas_app.demo.people`."""
