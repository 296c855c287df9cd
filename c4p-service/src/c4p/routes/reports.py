"""Routes of the reports of the consistency job."""

from fastapi import APIRouter

from c4p.routes.dependencies import AUDITOR, ORGANIZER, StoreDep, reading
from c4p.schemas.reports import ReportInput, ReportListOutput, ReportOutput
from c4p.use_cases import reports

router = APIRouter()


@router.get("/consistency-reports", dependencies=[reading(ORGANIZER, AUDITOR)])
async def list_reports(store: StoreDep) -> ReportListOutput:
    """Return the newest reports of the consistency job, the newest first."""
    found = await reports.list_newest(store)
    return ReportListOutput(items=[ReportOutput.of(each) for each in found])


@router.put("/consistency-reports", dependencies=[reading(AUDITOR)])
async def save_report(report: ReportInput, store: StoreDep) -> ReportOutput:
    """Keep a report; sent again with the same id it replaces itself."""
    kept = report.report()
    await reports.save(store, kept)
    return ReportOutput.of(kept)
