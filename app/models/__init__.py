"""The tables, one file per noun. Every one has the constraint that makes its writer idempotent."""

from app.models.event import Applied, BodyDictionary, Event, Outcome, Quarantined
from app.models.feedback import Feedback
from app.models.issue import (
    LISTED,
    Activity,
    Issue,
    IssueHash,
    IssueHour,
    IssueSignature,
    IssueTag,
    IssueUser,
    Notable,
    Status,
    Substatus,
    TagValue,
    Tombstone,
)
from app.models.monitor import CheckIn, Monitor
from app.models.move import IssueMove, MoveUser, RegroupedIssue, Regrouping
from app.models.notification import Notification
from app.models.organization import Membership, Organization, Role, Team, TeamMembership
from app.models.project import DsnKey, Environment, Project, ProjectTeam, RateLimit
from app.models.release import Release, ReleaseHealth, ReleaseProject
from app.models.tally import SessionTally, TagTally, Tally
from app.models.token import ApiToken
from app.models.trace import SpanTally, TransactionHour
from app.models.user import User
from app.models.work import DueTask, FailedTask, Heartbeat

__all__ = [
    "LISTED", "Activity", "ApiToken", "Applied", "BodyDictionary", "CheckIn", "DsnKey", "DueTask",
    "Environment", "Event", "FailedTask", "Feedback", "Heartbeat", "Issue", "IssueHash", "IssueHour",
    "IssueMove", "IssueSignature", "IssueTag", "IssueUser", "Membership", "Monitor", "MoveUser", "Notable",
    "Notification", "Organization", "Outcome", "Project", "ProjectTeam", "Quarantined", "RateLimit",
    "RegroupedIssue", "Regrouping", "Release", "ReleaseHealth", "ReleaseProject", "Role", "SessionTally",
    "SpanTally", "Status", "Substatus", "TagTally", "TagValue", "Tally", "Team", "TeamMembership",
    "Tombstone", "TransactionHour", "User",
]  # fmt: skip
